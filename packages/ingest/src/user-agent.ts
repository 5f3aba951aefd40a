/** What a user agent says about the visitor's software. Nulls mean 'nothing known'. */
export interface Platform {
  readonly browser: string | null;
  /** Major and, where there is one, minor: `126.0`, `17.5`. */
  readonly browserVersion: string | null;
  readonly os: string | null;
  readonly osVersion: string | null;
  readonly device: 'Desktop' | 'Mobile' | 'Tablet' | null;
}

interface Rule {
  readonly label: string;
  /** Its first group is the version. */
  readonly pattern: RegExp;
}

/**
 * Browsers, most particular first: nearly all of them also claim to be Chrome or Safari. Variants
 * for telephones have the name of the browser proper. `bowser` takes applications' embedded views
 * for Chrome and Safari and has other labels.
 */
const BROWSERS: readonly Rule[] = [
  { label: 'Microsoft Edge', pattern: /\b(?:Edge|EdgA|EdgiOS|Edg)\/(\d+(?:\.\d+)?)/ },
  { label: 'Opera', pattern: /\b(?:OPR|OPT|OPiOS|OPX)\/(\d+(?:\.\d+)?)/ },
  { label: 'Opera', pattern: /\bOpera Mini\/(\d+(?:\.\d+)?)/ },
  { label: 'Opera', pattern: /^Opera\/.*Version\/(\d+(?:\.\d+)?)/ },
  { label: 'Opera', pattern: /\bOpera[/ ](\d+(?:\.\d+)?)/ },
  { label: 'Samsung Browser', pattern: /\bSamsungBrowser\/(\d+(?:\.\d+)?)/ },
  { label: 'Yandex Browser', pattern: /\bYaBrowser\/(\d+(?:\.\d+)?)/ },
  { label: 'Vivaldi', pattern: /\bVivaldi\/(\d+(?:\.\d+)?)/ },
  { label: 'Brave', pattern: /\bBrave(?: Chrome)?\/(\d+(?:\.\d+)?)/ },
  { label: 'DuckDuckGo Privacy Browser', pattern: /\b(?:DuckDuckGo|Ddg)\/(\d+(?:\.\d+)?)/ },
  { label: 'UC Browser', pattern: /\b(?:UCBrowser|UBrowser)\/(\d+(?:\.\d+)?)/ },
  { label: 'Huawei Browser', pattern: /\bHuaweiBrowser\/(\d+(?:\.\d+)?)/ },
  { label: 'MIUI Browser', pattern: /\bMiuiBrowser\/(\d+(?:\.\d+)?)/ },
  { label: 'Vivo Browser', pattern: /\bVivoBrowser\/(\d+(?:\.\d+)?)/ },
  { label: 'HeyTap Browser', pattern: /\bHeyTapBrowser\/(\d+(?:\.\d+)?)/ },
  { label: 'QQ Browser', pattern: /\bM?QQBrowser\/(\d+(?:\.\d+)?)/ },
  { label: 'Whale Browser', pattern: /\bWhale\/(\d+(?:\.\d+)?)/ },
  { label: 'Coc Coc', pattern: /\bcoc_coc_browser\/(\d+(?:\.\d+)?)/ },
  { label: 'Ecosia', pattern: /\bEcosia (?:android|ios)@(\d+(?:\.\d+)?)/ },
  { label: 'Puffin', pattern: /\bPuffin\/(\d+(?:\.\d+)?)/ },
  { label: 'Silk', pattern: /\bSilk\/(\d+(?:\.\d+)?)/ },
  { label: 'Sogou Explorer', pattern: /\bMetaSr (\d+(?:\.\d+)?)/ },
  { label: 'Maxthon', pattern: /\bMaxthon[/ ](\d+(?:\.\d+)?)/ },
  { label: 'SeaMonkey', pattern: /\bSeaMonkey\/(\d+(?:\.\d+)?)/ },
  { label: 'Pale Moon', pattern: /\bPaleMoon\/(\d+(?:\.\d+)?)/ },
  { label: 'Electron', pattern: /\bElectron\/(\d+(?:\.\d+)?)/ },
  { label: 'Mobile App', pattern: /\b(?:FBAV|FB_IAB|FBAN)\b[/;]?(\d+(?:\.\d+)?)?/ },
  {
    label: 'Mobile App',
    pattern: /\b(?:Instagram|Pinterest|Snapchat|LinkedInApp) ?\/?(\d+\.\d+)?/,
  },
  {
    label: 'Mobile App',
    pattern: /\b(?:MicroMessenger|Line|KAKAOTALK|GSA|musical_ly)[/_ ](\d+\.\d+)/,
  },
  { label: 'Mobile App', pattern: /; wv\).*\bChrome\/(\d+(?:\.\d+)?)/ },
  { label: 'Firefox', pattern: /\b(?:Firefox|FxiOS|Focus|Klar)\/(\d+(?:\.\d+)?)/ },
  { label: 'Chrome', pattern: /\b(?:CriOS|CrMo|Chrome|Chromium)\/(\d+(?:\.\d+)?)/ },
  { label: 'Android Browser', pattern: /\bAndroid\b.*\bVersion\/(\d+(?:\.\d+)?).*\bSafari\// },
  { label: 'Safari', pattern: /\bVersion\/(\d+(?:\.\d+)?).*\bSafari\// },
  { label: 'Internet Explorer', pattern: /\bMSIE (\d+(?:\.\d+)?)/ },
  { label: 'Internet Explorer', pattern: /\bTrident\/.*\brv:(\d+(?:\.\d+)?)/ },
  { label: 'Mobile App', pattern: /\b(?:iPhone|iPad|iPod)\b.*AppleWebKit\/(?!.*Safari\/)/ },
  { label: 'Safari', pattern: /\bMacintosh\b.*AppleWebKit\/.*\bSafari\// },
];

const SYSTEMS: readonly Rule[] = [
  { label: 'Windows Phone', pattern: /\bWindows Phone(?: OS)? (\d+(?:\.\d+)?)/ },
  { label: 'iOS', pattern: /\b(?:iPhone|iPad|iPod)\b.*?\bOS (\d+(?:_\d+)?)/ },
  { label: 'iOS', pattern: /\b(?:iPhone|iPad|iPod)\b/ },
  { label: 'HarmonyOS', pattern: /\b(?:HarmonyOS|OpenHarmony) ?(\d+(?:\.\d+)?)?/ },
  { label: 'KaiOS', pattern: /\bKAIOS\/(\d+(?:\.\d+)?)/ },
  { label: 'Tizen', pattern: /\bTizen (\d+(?:\.\d+)?)/ },
  { label: 'webOS', pattern: /\b(?:Web0S|webOS)\b/ },
  { label: 'Android', pattern: /\bAndroid[ /-]?(\d+(?:\.\d+)?)?/ },
  { label: 'Chrome OS', pattern: /\bCrOS \w+ (\d+(?:\.\d+)?)/ },
  { label: 'Windows', pattern: /\bWindows NT (\d+(?:\.\d+)?)/ },
  { label: 'Windows', pattern: /\b(?:Windows|Win(?:9[58]|NT))\b/ },
  {
    label: 'Mac',
    pattern: /\b(?:Macintosh|Mac OS X|Mac_PowerPC)\b(?:.*?\bMac OS X (\d+(?:[._]\d+)?))?/,
  },
  { label: 'PlayStation', pattern: /\bPlayStation (\d+)/ },
  { label: 'Nintendo', pattern: /\bNintendo\b/ },
  { label: 'FreeBSD', pattern: /\bFreeBSD\b/ },
  { label: 'OpenBSD', pattern: /\bOpenBSD\b/ },
  { label: 'GNU/Linux', pattern: /\b(?:Linux|Ubuntu|X11)\b/ },
];

/** Windows' own names for its kernels' versions; 11 calls itself 10. */
const WINDOWS_VERSIONS: Readonly<Record<string, string>> = {
  '10.0': '10',
  '6.3': '8.1',
  '6.2': '8',
  '6.1': '7',
  '6.0': 'Vista',
  '5.2': 'XP',
  '5.1': 'XP',
  '5.0': '2000',
};

const TABLET = /\biPad\b|\bTablet\b|\bPlayBook\b|\bKindle\b|\bSilk\/(?!.*Mobile)|\bKF[A-Z]{2,4}\b/;
const MOBILE = /\bMobi|\biPhone\b|\biPod\b|\bWindows Phone\b|\bKAIOS\b|\bOpera Mini\b|\bMIDP\b/;

/**
 * Reads a user agent. Known limits of what browsers send: an iPad that asks for desktop pages (the
 * default since iPadOS 13) is indistinguishable from a Mac and counts as one; Windows 11 is Windows
 * 10; macOS stays at 10.15; Chrome names no minor version; Brave and Vivaldi mostly pass as Chrome.
 */
export function parseUserAgent(userAgent: string): Platform {
  const browser = firstMatch(BROWSERS, userAgent);
  const system = firstMatch(SYSTEMS, userAgent);
  return {
    browser: browser?.label ?? null,
    browserVersion: browser?.version ?? null,
    os: system?.label ?? null,
    osVersion: system === null ? null : systemVersion(system.label, system.version),
    device: deviceOf(userAgent, system?.label ?? null),
  };
}

function firstMatch(
  rules: readonly Rule[],
  userAgent: string,
): { readonly label: string; readonly version: string | null } | null {
  for (const { label, pattern } of rules) {
    const match = pattern.exec(userAgent);
    if (match !== null) return { label, version: match[1]?.replace('_', '.') ?? null };
  }
  return null;
}

function systemVersion(label: string, version: string | null): string | null {
  if (version === null) return null;
  return label === 'Windows' ? (WINDOWS_VERSIONS[version] ?? version) : version;
}

/** Android's browsers leave out `Mobile` on tablets; televisions and consoles have no class here. */
function deviceOf(userAgent: string, os: string | null): Platform['device'] {
  if (TABLET.test(userAgent)) return 'Tablet';
  if (MOBILE.test(userAgent)) return 'Mobile';
  if (os === 'Android') return /\bTV\b|\bAFT[A-Z]/.test(userAgent) ? 'Desktop' : 'Tablet';
  if (os === null || os === 'KaiOS') return null;
  return os === 'iOS' || os === 'HarmonyOS' ? 'Mobile' : 'Desktop';
}
