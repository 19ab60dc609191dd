// wide tables and diagrams scroll: the keyboard has to reach them
document$.subscribe(() => {
  for (const each of document.querySelectorAll('.md-typeset__scrollwrap, p:has(> img[src$=".svg"])')) each.tabIndex = 0;
});
