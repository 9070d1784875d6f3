// Back to the application once its frames have been loaded, and after four seconds at the latest. Without this script the link
// on the page does the same.
"use strict";

const onward = document.querySelector("a[data-onward]");
const leave = () => window.location.replace(onward.href);

window.addEventListener("load", leave);
setTimeout(leave, 4000);
