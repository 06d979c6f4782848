import "../style/tokens.css";
import "../style/base.css";
import { begin } from "../parts/begin";
import App from "./App.svelte";

void begin(App);
