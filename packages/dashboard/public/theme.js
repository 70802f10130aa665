// Runs before the first paint, so that a remembered theme does not flash the other one. A file, since the CSP forbids inline.
;(() => {
  const theme = localStorage.getItem('headrace.theme')
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme
})()
