/** Classes of screens with the width in CSS pixels at which each begins. */
export const SCREEN_CLASSES = [
  { name: 'xl', widthMin: 1440 },
  { name: 'lg', widthMin: 992 },
  { name: 'md', widthMin: 768 },
  { name: 'sm', widthMin: 576 },
  { name: 'xs', widthMin: 0 },
] as const;

/**
 * The class of a screen `width` CSS pixels wide: `xs` telephones (under 576), `sm` large telephones
 * (under 768), `md` tablets (under 992), `lg` laptops (under 1440), `xl` the rest. The borders at
 * 576, 992 and 1440 are those at which Plausible used to tell mobile, tablet, laptop and desktop.
 */
export function screenClass(width: number | null): string | null {
  if (width === null) return null;
  return SCREEN_CLASSES.find(({ widthMin }) => width >= widthMin)?.name ?? null;
}
