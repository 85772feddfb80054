"use strict";
// The key / leads to the search. Readers can switch that off on the page of the search (WCAG 2.1.4).
document.addEventListener("keydown", event => {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (event.target.closest("input, textarea, select, [contenteditable]")) return;
  try {
    if (localStorage.getItem("newsgen.slash") === "off") return;
  } catch { /* storage is blocked: nothing was switched off */ }
  const field = document.querySelector("input[name=q]");
  if (!field) return;
  event.preventDefault();
  field.focus();
  if (document.activeElement === field) field.select();
  else field.form.submit(); // on a phone there is no room for the field
});
