// Light or dark: what the system says, unless the person has said otherwise.

const THEME_KEY = "multipaxos-lab-theme";

function themeStored() {
  try {
    return localStorage.getItem(THEME_KEY);
  } catch {
    return null; // a page from disk may have no storage
  }
}

function themeIsDark() {
  const set = document.documentElement.dataset.theme;
  return set ? set === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

/** Change from light to dark or back, and remember it. */
export function themeToggle() {
  const theme = themeIsDark() ? "light" : "dark";
  document.documentElement.dataset.theme = theme;
  try {
    localStorage.setItem(THEME_KEY, theme);
  } catch {
    // It holds until the page is closed.
  }
}

/** Take over the theme of the last visit, and let *button* change it. */
export function createTheme(button) {
  const stored = themeStored();
  if (stored === "light" || stored === "dark") document.documentElement.dataset.theme = stored;
  button.addEventListener("click", themeToggle);
}
