/**
 * Numbers of the x86-64 system calls that the default filter of container engines refuses and that
 * a server might come to use: namespaces, io_uring, tracing, keys, memory policy, clocks, mounts.
 */
const REFUSED = [
  101, 103, 155, 161, 163, 164, 165, 166, 167, 168, 169, 170, 171, 172, 173, 174, 175, 176, 212,
  227, 237, 238, 239, 246, 248, 249, 250, 256, 272, 279, 298, 300, 303, 304, 305, 308, 310, 311,
  312, 313, 320, 321, 323, 425, 426, 427,
];

/** Answered as if the kernel did not know them, so that programs fall back: clone3, openat2, statx. */
const UNKNOWN = [435, 437, 332];

const EPERM = 1;
const ENOSYS = 38;

/**
 * Runs a command under such a filter. Perl makes the two system calls, since it is part of every
 * Debian and Node.js cannot; the filter's instructions are (code, jump if true, jump if false, value).
 */
export const SECCOMP: readonly string[] = ['perl', '-e', program(), '--'];

function program(): string {
  const rows = [
    // Another architecture has other numbers: leave its calls alone.
    [0x20, 0, 0, 4],
    [0x15, 1, 0, 0xc000_003e],
    [0x06, 0, 0, 0x7fff_0000],
    [0x20, 0, 0, 0],
    ...REFUSED.flatMap((number) => refusal(number, EPERM)),
    ...UNKNOWN.flatMap((number) => refusal(number, ENOSYS)),
    [0x06, 0, 0, 0x7fff_0000],
  ];
  return [
    `my @rows = (${rows.map((row) => `[${row.join(',')}]`).join(',')});`,
    'my $filter = join "", map { pack "SCCL", @$_ } @rows;',
    'my $program = pack "S x6 P", scalar(@rows), $filter;',
    'syscall(157, 38, 1, 0, 0, 0) == 0 or die "no new privileges: $!";',
    'syscall(157, 22, 2, $program) == 0 or die "filter: $!";',
    'syscall(272, 0) == -1 && $! == 1 or die "the filter lets unshare through";',
    'exec @ARGV or die "exec: $!";',
  ].join('\n');
}

function refusal(number: number, errno: number): readonly (readonly number[])[] {
  return [
    [0x15, 0, 1, number],
    [0x06, 0, 0, 0x0005_0000 + errno],
  ];
}
