const NAME_LENGTH_MAX = 100;

/** What is wrong with the name of a new user, as a sentence, or undefined when it will do. */
export function userNameProblem(name: string): string | undefined {
  if (name === '' || name !== name.trim()) return 'The name is empty or has spaces around it.';
  if (Array.from(name).length > NAME_LENGTH_MAX) {
    return `The name is longer than ${NAME_LENGTH_MAX} characters.`;
  }
  if (/\p{Cc}/u.test(name)) return 'The name has a control character in it.';
  return undefined;
}
