import type { Said } from '../../lib/messages';

/** An image, or the reason for the failure. The reason is null if the host does not answer or forbids other pages to read it. */
export type Fetched = { readonly photo: Blob } | { readonly reason: Said | null };
