// A picture of the camera made small enough for a thin line; what the camera wrote into the file beside it (place, device) is left out.
const SIDE_PX = 1600;
const PREVIEW_PX = 160;
const QUALITY = 0.82;

function drawn(picture: ImageBitmap, side: number): HTMLCanvasElement {
  const scale = Math.min(1, side / Math.max(picture.width, picture.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(picture.width * scale));
  canvas.height = Math.max(1, Math.round(picture.height * scale));
  canvas.getContext("2d")!.drawImage(picture, 0, 0, canvas.width, canvas.height);
  return canvas;
}

/** A JPEG of at most 1600 px a side, and a small picture as a data URL. Throws what the browser cannot read. */
export async function shrunk(file: File): Promise<{ photo: Blob; preview: string }> {
  const picture = await createImageBitmap(file);
  try {
    const canvas = drawn(picture, SIDE_PX);
    const photo = await new Promise<Blob>((resolve, reject) => canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("no picture"))), "image/jpeg", QUALITY));
    return { photo, preview: drawn(picture, PREVIEW_PX).toDataURL("image/jpeg", 0.6) };
  } finally {
    picture.close();
  }
}
