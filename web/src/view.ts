/** What fills the page: one photo and its drawing, many photos, or a video. The style sheets hide the rest. */
export type View = 'one' | 'many' | 'video';

export function showView(view: View): void {
  document.documentElement.dataset['view'] = view;
}

export function shownView(): View {
  return (document.documentElement.dataset['view'] as View | undefined) ?? 'one';
}
