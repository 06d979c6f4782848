import { mount } from "svelte";
import "../style/tokens.css";
import "../style/base.css";
import "../style/display.css";
import { text } from "../i18n/index.svelte";
import Report from "./Report.svelte";

const target = document.getElementById("app");
if (target) void text.begin().then(() => mount(Report, { target }));
