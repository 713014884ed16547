import type { Said } from '../../lib/messages';

/** An image, or why there is none: null if the host does not answer, or does not let other pages read it. */
export type Fetched = { readonly photo: Blob } | { readonly reason: Said | null };
