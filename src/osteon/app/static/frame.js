// Light and dark, and the menu on a phone. Runs before the page is drawn, so that nothing flashes.
(() => {
  const root = document.documentElement;
  const wanted = () => localStorage.getItem("osteon-theme");
  const system = matchMedia("(prefers-color-scheme: dark)");
  const apply = () => {
    const dark = wanted() ? wanted() === "dark" : system.matches;
    root.classList.toggle("dark", dark);
    root.style.colorScheme = dark ? "dark" : "light";
    if (window.Quasar?.Dark) window.Quasar.Dark.set(dark);
    window.dispatchEvent(new CustomEvent("osteon-theme", { detail: dark }));
  };
  apply();
  system.addEventListener("change", apply);
  document.addEventListener("click", (event) => {
    if (event.target.closest("#theme")) {
      localStorage.setItem("osteon-theme", root.classList.contains("dark") ? "light" : "dark");
      apply();
    }
    const menu = event.target.closest("#menu");
    if (menu) {
      const open = document.getElementById("nav").classList.toggle("open");
      menu.setAttribute("aria-expanded", open);
    }
  });
})();
