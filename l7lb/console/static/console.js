// Comfort only: every page works without it. "/" goes to the search, and typing narrows the rows that are on the page.
"use strict";
(() => {
  const search = document.getElementById("q");
  document.addEventListener("keydown", (event) => {
    const typing = /^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement?.tagName ?? "");
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      search?.focus();
      search?.select();
    }
    if (event.key === "Escape" && typing) document.activeElement.blur();
  });
  const narrow = (field, rows) => {
    if (!field || rows.length === 0) return;
    field.addEventListener("input", () => {
      const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
      for (const row of rows) {
        const text = row.textContent.toLowerCase();
        row.hidden = !words.every((word) => text.includes(word));
      }
    });
  };
  narrow(search, document.querySelectorAll("[data-list] tbody tr"));
  narrow(document.getElementById("within"), document.querySelectorAll(".tree .rule"));
})();
