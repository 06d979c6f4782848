import { mount } from "svelte";
import { text } from "../i18n/index.svelte";
import "../style/tokens.css";
import "../style/base.css";
import "../style/display.css";
import "./screen.css";
import Screen from "./Screen.svelte";

await text.begin();
mount(Screen, { target: document.getElementById("app")! });
