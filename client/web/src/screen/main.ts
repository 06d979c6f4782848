import "../style/tokens.css";
import "../style/base.css";
import "../style/display.css";
import "./screen.css";
import { begin } from "../parts/begin";
import Screen from "./Screen.svelte";

void begin(Screen);
