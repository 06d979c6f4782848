import "../style/tokens.css";
import "../style/base.css";
import "../style/display.css";
import { begin } from "../parts/begin";
import Preview from "./Preview.svelte";

void begin(Preview);
