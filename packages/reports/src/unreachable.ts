import { AssertionError } from '@tandem/base';

/** For the default of a switch whose cases are all there: the compiler proves it, this tells. */
export function unreachable(value: never): AssertionError {
  return new AssertionError(`the case ${JSON.stringify(value)} does not exist`);
}
