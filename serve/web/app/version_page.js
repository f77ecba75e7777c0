// The page of one version: another one is chosen, here or to compare with.
(() => {
  const number = document.getElementById("sl-version").dataset.version;
  const goes = (id, address) => document.getElementById(id)?.addEventListener("change", (event) => {
    location.href = address(encodeURIComponent(event.target.value));
  });
  goes("sl-other", (other) => `/app/versions/${other}`);
  goes("sl-with", (other) => `/app/versions/${encodeURIComponent(number)}?with=${other}`);
})();
