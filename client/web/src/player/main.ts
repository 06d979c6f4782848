import { mount } from "svelte";
import { text } from "../i18n/index.svelte";
import "../style/tokens.css";
import "../style/base.css";
import App from "./App.svelte";

await text.begin();
mount(App, { target: document.getElementById("app")! });
