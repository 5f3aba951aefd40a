import { filters } from './kernel.ts';

filters.push(
  (payload) =>
    !(navigator as Navigator & { readonly globalPrivacyControl?: boolean }).globalPrivacyControl &&
    payload,
);
