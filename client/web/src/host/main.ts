import "../style/tokens.css";
import "../style/base.css";
import "../style/display.css";
import "../i18n/staff.svelte"; // before the language is loaded: it subscribes
import { begin } from "../parts/begin";
import Host from "./Host.svelte";

void begin(Host);
