// The report as a file of its own. No web font: a file that is mailed stays small.
import "../style/tokens.css";
import "../style/base.css";
import "./report.css";
import { begin } from "../parts/begin";
import Saved from "./Saved.svelte";

void begin(Saved);
