/**
 * Whether `path` as a whole matches `glob`, in which `*` stands for any run of characters and
 * everything else for itself. Takes at most `path.length * glob.length` steps, whatever the glob: a
 * regular expression with as many stars can take exponentially many.
 */
export function matchesGlob(glob: string, path: string): boolean {
  let at = 0;
  let globAt = 0;
  let starAt = -1;
  let resumeAt = 0;
  while (at < path.length) {
    if (glob[globAt] === '*') {
      starAt = globAt;
      resumeAt = at;
      globAt += 1;
    } else if (globAt < glob.length && glob[globAt] === path[at]) {
      globAt += 1;
      at += 1;
    } else if (starAt === -1) {
      return false;
    } else {
      resumeAt += 1;
      at = resumeAt;
      globAt = starAt + 1;
    }
  }
  while (glob[globAt] === '*') globAt += 1;
  return globAt === glob.length;
}
