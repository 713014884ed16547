import { measure, type Measured } from '../../lib/photo/measure';

export interface Photo extends Measured {
  readonly file: Blob;
  /** The file's name without its extension. The drawing is named after it. */
  readonly name: string;
  /** An object URL. {@link closePhoto} revokes it. */
  readonly url: string;
}

/** Opens an image file. @throws U2NetError as {@link measure} does. */
export async function openPhoto(file: Blob, fileName: string): Promise<Photo> {
  const url = URL.createObjectURL(file);
  try {
    const measured = await measure(url, file.type, fileName);
    return { file, name: fileName.replace(/\.[^.]*$/, '') || 'photo', url, ...measured };
  } catch (cause) {
    URL.revokeObjectURL(url);
    throw cause;
  }
}

export function closePhoto(photo: Photo): void {
  URL.revokeObjectURL(photo.url);
}
