/** What fills the page: one photo and its drawing, or many photos. The style sheets hide the rest. */
export type View = 'one' | 'many';

export function showView(view: View): void {
  document.documentElement.dataset['view'] = view;
}

export function shownView(): View {
  return (document.documentElement.dataset['view'] as View | undefined) ?? 'one';
}
