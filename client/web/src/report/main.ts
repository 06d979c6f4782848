import "../style/tokens.css";
import "../style/base.css";
import "../style/display.css";
import "./report.css";
import { begin } from "../parts/begin";
import Report from "./Report.svelte";

void begin(Report);
