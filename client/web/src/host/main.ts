import { mount } from "svelte";
import "../style/tokens.css";
import "../style/base.css";
import "../style/display.css";
import { text } from "../i18n/index.svelte";
import "../i18n/staff.svelte"; // before the language is loaded: it wants to be told
import Host from "./Host.svelte";

const target = document.getElementById("app");
if (target) void text.begin().then(() => mount(Host, { target }));
