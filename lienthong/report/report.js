"use strict";
(function () {
  const form = document.getElementById("filters");
  const shown = document.getElementById("shown");
  const controls = Array.from(document.querySelectorAll("details.control"));
  const total = document.querySelectorAll(".finding").length;
  const fields = form.elements;

  function apply() {
    const statuses = new Set(Array.from(form.querySelectorAll("[name=status]:checked"), (box) => box.value));
    const node = fields.node.value;
    const words = fields.text.value.toLocaleLowerCase("vi").split(/\s+/).filter(Boolean);
    const narrowed = node !== "" || words.length > 0;
    let count = 0;
    for (const control of controls) {
      const wanted =
        (!fields.severity.value || control.dataset.severity === fields.severity.value) &&
        (!fields.framework.value || control.dataset.frameworks.split("|").includes(fields.framework.value));
      const head = control.querySelector("summary").textContent;
      let visible = 0;
      for (const row of control.querySelectorAll(".finding")) {
        const text = (head + " " + row.textContent).toLocaleLowerCase("vi");
        const keep =
          wanted &&
          statuses.has(row.dataset.status) &&
          (!node || row.dataset.node === node) &&
          words.every((word) => text.includes(word));
        row.hidden = !keep;
        visible += keep ? 1 : 0;
      }
      control.hidden = visible === 0;
      if (narrowed && visible) control.open = true;
      count += visible;
    }
    shown.textContent = count + " / " + total;
  }

  form.hidden = false;
  form.addEventListener("input", apply);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(apply));
  apply();

  // A node of the drawing shows what was found there.
  for (const link of document.querySelectorAll(".net a")) {
    link.addEventListener("click", (event) => {
      const node = link.getAttribute("href").slice("#node-".length);
      if (!Array.from(fields.node.options).some((option) => option.value === node)) return;
      event.preventDefault();
      fields.node.value = node;
      apply();
      document.getElementById("findings").scrollIntoView();
      fields.node.focus({ preventScroll: true });
    });
  }

  // A link to a control opens it, also when a filter had hidden it.
  function reveal() {
    const control = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!control || !control.classList.contains("control")) return;
    if (control.hidden) form.reset();
    control.hidden = false;
    control.open = true;
    control.scrollIntoView();
  }
  window.addEventListener("hashchange", reveal);

  // Paper has no buttons: everything is open while printing.
  let closed = [];
  window.addEventListener("beforeprint", () => {
    closed = controls.filter((control) => !control.open);
    closed.forEach((control) => (control.open = true));
  });
  window.addEventListener("afterprint", () => closed.forEach((control) => (control.open = false)));

  reveal();
})();
