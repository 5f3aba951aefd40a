/** What kind of place a source is; it decides the channel. */
export type SourceCategory =
  | 'search'
  | 'social'
  | 'video'
  | 'shopping'
  | 'email'
  | 'ai'
  | 'chat'
  | 'code'
  | 'news'
  | 'reference';

/** A name under which visits from several hosts and tags are counted together. */
export interface KnownSource {
  readonly name: string;
  readonly category: SourceCategory;
  /**
   * Hosts, separated by blanks; each stands for its subdomains too, unless one of them is listed
   * elsewhere (but see `SourceNames` for search engines, mail and assistants). `google.*` means any
   * country's suffix, `.com` and the like of `.co.uk`. Android apps are listed by package name.
   */
  readonly hosts: string;
  /** Values of `utm_source`, `source` and `ref`, separated by blanks, beside name and hosts. */
  readonly tags?: string;
}

function sources(
  category: SourceCategory,
  rows: readonly (readonly [name: string, hosts: string, tags?: string])[],
): readonly KnownSource[] {
  return rows.map(([name, hosts, tags]) =>
    tags === undefined ? { name, category, hosts } : { name, category, hosts, tags },
  );
}

const SEARCH = sources('search', [
  [
    'Google',
    'google.* googleadservices.com googlesyndication.com tpc.googlesyndication.com googleads.g.doubleclick.net ' +
      'com.google.android.googlequicksearchbox syndicatedsearch.goog',
    'adwords googleads google-ads google_ads gads',
  ],
  ['Bing', 'bing.com cc.bingj.com com.microsoft.bing', 'bingads bing-ads bing_ads msn-ads'],
  ['DuckDuckGo', 'duckduckgo.com ddg.gg com.duckduckgo.mobile.android', 'ddg'],
  ['Yahoo!', 'yahoo.* search.yahoo.*', 'yahoo yahoo-ads'],
  ['Yandex', 'yandex.* ya.ru yandex.com.tr com.yandex.browser ru.yandex.searchplugin', 'yandex'],
  ['Baidu', 'baidu.com baidu.jp com.baidu.searchbox'],
  ['Ecosia', 'ecosia.org com.ecosia.android'],
  ['Qwant', 'qwant.com'],
  ['Startpage', 'startpage.com ixquick.com startpage.nl'],
  ['Brave Search', 'search.brave.com', 'brave'],
  ['Kagi', 'kagi.com'],
  ['Mojeek', 'mojeek.com mojeek.co.uk'],
  ['Swisscows', 'swisscows.com swisscows.ch'],
  ['MetaGer', 'metager.de metager.org'],
  ['Presearch', 'presearch.com presearch.org'],
  ['Marginalia', 'marginalia-search.com search.marginalia.nu'],
  ['Seznam', 'seznam.cz search.seznam.cz'],
  ['Naver', 'naver.com com.nhn.android.search'],
  ['Daum', 'daum.net search.daum.net'],
  ['Sogou', 'sogou.com'],
  ['360 Search', 'so.com 360.cn haosou.com'],
  ['Shenma', 'm.sm.cn sm.cn'],
  ['Coc Coc', 'coccoc.com'],
  ['Rambler', 'rambler.ru nova.rambler.ru'],
  ['Mail.ru Search', 'go.mail.ru'],
  ['Sputnik', 'sputnik.ru'],
  ['AOL', 'aol.* search.aol.com aolsearch.com'],
  ['Ask', 'ask.com'],
  ['Lycos', 'lycos.* search.lycos.com'],
  ['Excite', 'excite.com excite.co.jp'],
  ['Dogpile', 'dogpile.com'],
  ['WebCrawler', 'webcrawler.com'],
  ['MSN', 'msn.com'],
  ['Goo', 'goo.ne.jp search.goo.ne.jp'],
  ['Onet', 'szukaj.onet.pl onet.pl'],
  ['Virgilio', 'virgilio.it'],
  ['T-Online', 'suche.t-online.de t-online.de'],
  ['Web.de Suche', 'suche.web.de'],
  ['Gibiru', 'gibiru.com'],
  ['Searx', 'searx.be searx.me searx.space searxng.org'],
  ['Lilo', 'lilo.org search.lilo.org'],
  ['Petal Search', 'petalsearch.com'],
  ['Info.com', 'info.com'],
  ['Conduit', 'search.conduit.com'],
  ['Babylon', 'search.babylon.com babylon.com'],
]);

const SOCIAL = sources('social', [
  [
    'Facebook',
    'facebook.com fb.com fb.me facebookwkhpilnemxj7asaniu7vnjjbiltxjqhye3mhbshg7kx5tfyd.onion ' +
      'com.facebook.katana com.facebook.lite com.facebook.orca messenger.com m.me',
    'fb facebookads facebook-ads facebook_ads fb-ads fbads meta-ads',
  ],
  [
    'Instagram',
    'instagram.com ig.me com.instagram.android',
    'ig instagramads instagram-ads ig-ads',
  ],
  ['Threads', 'threads.net threads.com com.instagram.barcelona'],
  ['Twitter', 'twitter.com t.co x.com com.twitter.android', 'x twitterads twitter-ads x-ads'],
  ['LinkedIn', 'linkedin.com lnkd.in com.linkedin.android', 'linkedinads linkedin-ads li-ads'],
  ['Reddit', 'reddit.com redd.it out.reddit.com com.reddit.frontpage', 'redditads reddit-ads'],
  ['Pinterest', 'pinterest.* pin.it com.pinterest', 'pinterestads pinterest-ads'],
  ['TikTok', 'tiktok.com com.zhiliaoapp.musically com.ss.android.ugc.trill', 'tiktok-ads'],
  ['Snapchat', 'snapchat.com com.snapchat.android', 'snapchat-ads'],
  [
    'Mastodon',
    'mastodon.social mastodon.online mstdn.social joinmastodon.org fosstodon.org hachyderm.io mas.to infosec.exchange mastodon.world chaos.social techhub.social mstdn.jp pawoo.net org.joinmastodon.android',
  ],
  ['Bluesky', 'bsky.app go.bsky.app xyz.blueskyweb.app', 'bsky'],
  ['Lemmy', 'lemmy.world lemmy.ml lemm.ee beehaw.org programming.dev feddit.de feddit.org'],
  [
    'Hacker News',
    'news.ycombinator.com hckrnews.com io.github.hidroh.materialistic',
    'hackernews hn',
  ],
  ['Lobsters', 'lobste.rs'],
  ['VK', 'vk.com vkontakte.ru vk.ru m.vk.com com.vkontakte.android', 'vkontakte'],
  ['Odnoklassniki', 'ok.ru odnoklassniki.ru ru.ok.android'],
  ['Weibo', 'weibo.com weibo.cn t.cn com.sina.weibo'],
  ['WeChat', 'weixin.qq.com wechat.com mp.weixin.qq.com com.tencent.mm', 'weixin'],
  ['QQ', 'qq.com qzone.qq.com com.tencent.mobileqq'],
  ['Xiaohongshu', 'xiaohongshu.com xhslink.com'],
  ['Douban', 'douban.com'],
  ['Zhihu', 'zhihu.com link.zhihu.com'],
  ['V2EX', 'v2ex.com'],
  ['Quora', 'quora.com com.quora.android', 'quora-ads'],
  ['Tumblr', 'tumblr.com href.li com.tumblr'],
  ['Flickr', 'flickr.com flic.kr'],
  ['XING', 'xing.com com.xing.android'],
  ['Medium', 'medium.com com.medium.reader'],
  ['Substack', 'substack.com'],
  ['Dev.to', 'dev.to'],
  ['Hashnode', 'hashnode.com hashnode.dev'],
  [
    'Stack Overflow',
    'stackoverflow.com stackexchange.com superuser.com serverfault.com askubuntu.com',
  ],
  ['Product Hunt', 'producthunt.com', 'producthunt product_hunt product-hunt'],
  ['Indie Hackers', 'indiehackers.com', 'indiehackers'],
  ['Nextdoor', 'nextdoor.com nextdoor.co.uk'],
  ['Goodreads', 'goodreads.com'],
  ['DeviantArt', 'deviantart.com'],
  ['Behance', 'behance.net'],
  ['Dribbble', 'dribbble.com'],
  ['LiveJournal', 'livejournal.com'],
  ['Mixi', 'mixi.jp'],
  ['Hatena', 'hatena.ne.jp b.hatena.ne.jp'],
  ['LINE', 'line.me liff.line.me jp.naver.line.android'],
  ['KakaoTalk', 'kakao.com kakaocorp.com com.kakao.talk'],
  ['Digg', 'digg.com'],
  ['Slashdot', 'slashdot.org'],
  ['Taringa!', 'taringa.net'],
  ['Nasza Klasa', 'nk.pl'],
  ['Gab', 'gab.com'],
  ['Truth Social', 'truthsocial.com'],
  ['MeWe', 'mewe.com'],
  ['Linktree', 'linktr.ee'],
  ['Wykop', 'wykop.pl'],
  ['Tildes', 'tildes.net'],
  ['Foursquare', 'foursquare.com swarmapp.com'],
  ['Yelp', 'yelp.*'],
  ['Tripadvisor', 'tripadvisor.*'],
  ['Meetup', 'meetup.com'],
  ['Bumble', 'bumble.com'],
]);

const CHAT = sources('chat', [
  ['WhatsApp', 'whatsapp.com web.whatsapp.com wa.me com.whatsapp com.whatsapp.w4b', 'wa'],
  [
    'Telegram',
    'telegram.org web.telegram.org telegram.me t.me org.telegram.messenger ' +
      'org.telegram.messenger.web org.telegram.plus',
    'tg',
  ],
  ['Discord', 'discord.com discord.gg discordapp.com com.discord'],
  ['Slack', 'slack.com slack-redir.net app.slack.com com.slack'],
  [
    'Microsoft Teams',
    'teams.microsoft.com teams.live.com com.microsoft.teams statics.teams.cdn.office.net',
  ],
  ['Signal', 'signal.org org.thoughtcrime.securesms'],
  ['Viber', 'viber.com com.viber.voip'],
  ['Skype', 'skype.com web.skype.com com.skype.raider'],
  ['Element', 'app.element.io element.io'],
]);

const VIDEO = sources('video', [
  [
    'YouTube',
    'youtube.com youtu.be youtube-nocookie.com com.google.android.youtube',
    'yt youtube-ads',
  ],
  ['Vimeo', 'vimeo.com player.vimeo.com'],
  ['Dailymotion', 'dailymotion.com dai.ly'],
  ['Twitch', 'twitch.tv tv.twitch.android.app'],
  ['Rumble', 'rumble.com'],
  ['Odysee', 'odysee.com'],
  ['PeerTube', 'joinpeertube.org framatube.org'],
  ['Bilibili', 'bilibili.com b23.tv tv.danmaku.bili'],
  ['Youku', 'youku.com'],
  ['iQIYI', 'iqiyi.com'],
  ['Niconico', 'nicovideo.jp nico.ms'],
  ['Netflix', 'netflix.com'],
  ['Disney+', 'disneyplus.com'],
  ['Hulu', 'hulu.com'],
  ['Wistia', 'wistia.com wistia.net'],
  ['Loom', 'loom.com'],
  ['TED', 'ted.com'],
  ['Rutube', 'rutube.ru'],
  ['Kick', 'kick.com'],
]);

const SHOPPING = sources('shopping', [
  ['Amazon', 'amazon.* amzn.to amzn.eu a.co', 'amazon-ads'],
  ['Google Shopping', 'shopping.google.com', 'googleshopping google-shopping google_shopping'],
  ['eBay', 'ebay.* ebay.us'],
  ['Etsy', 'etsy.com etsy.me'],
  ['Walmart', 'walmart.com walmart.ca'],
  ['AliExpress', 'aliexpress.com aliexpress.ru s.click.aliexpress.com'],
  ['Alibaba', 'alibaba.com'],
  ['Taobao', 'taobao.com tmall.com'],
  ['JD.com', 'jd.com'],
  ['Temu', 'temu.com'],
  ['Shein', 'shein.com'],
  ['Target', 'target.com'],
  ['Best Buy', 'bestbuy.com'],
  ['Rakuten', 'rakuten.co.jp rakuten.com'],
  ['Mercado Libre', 'mercadolibre.* mercadolivre.com.br'],
  ['Allegro', 'allegro.pl'],
  ['Otto', 'otto.de'],
  ['Zalando', 'zalando.* zalando.co.uk'],
  ['Idealo', 'idealo.*'],
  ['Geizhals', 'geizhals.de geizhals.at geizhals.eu'],
  ['Flipkart', 'flipkart.com'],
  ['Shopee', 'shopee.*'],
  ['Lazada', 'lazada.*'],
  ['Kleinanzeigen', 'kleinanzeigen.de ebay-kleinanzeigen.de'],
  ['Vinted', 'vinted.*'],
  ['Bol', 'bol.com'],
  ['PriceRunner', 'pricerunner.*'],
  ['Shop', 'shop.app'],
]);

const EMAIL = sources('email', [
  ['Gmail', 'mail.google.com inbox.google.com com.google.android.gm com.google.android.gm.lite'],
  [
    'Outlook.com',
    'mail.live.com outlook.live.com outlook.com outlook.office.com outlook.office365.com ' +
      'hotmail.com com.microsoft.office.outlook',
    'outlook hotmail',
  ],
  ['Yahoo! Mail', 'mail.yahoo.* com.yahoo.mobile.client.android.mail'],
  ['AOL Mail', 'mail.aol.com'],
  [
    'Proton Mail',
    'mail.proton.me mail.protonmail.com protonmail.com ch.protonmail.android',
    'protonmail',
  ],
  ['Fastmail', 'fastmail.com app.fastmail.com'],
  ['Tuta', 'app.tuta.com mail.tutanota.com tutanota.com tuta.com'],
  ['iCloud Mail', 'icloud.com'],
  ['GMX', 'gmx.* navigator.gmx.net bap.navigator.gmx.net'],
  ['Web.de', 'web.de navigator.web.de bap.navigator.web.de'],
  ['Zoho Mail', 'mail.zoho.com mail.zoho.eu'],
  ['Mail.ru', 'e.mail.ru mail.ru touch.mail.ru ru.mail.mailapp'],
  ['Yandex Mail', 'mail.yandex.* ru.yandex.mail'],
  ['Hey', 'app.hey.com'],
  ['Orange Mail', 'webmail.orange.fr messagerie.orange.fr'],
  ['Seznam Email', 'email.seznam.cz'],
  ['Naver Mail', 'mail.naver.com'],
  ['QQ Mail', 'mail.qq.com'],
  ['163 Mail', 'mail.163.com'],
  ['Mailchimp', 'mailchimp.com list-manage.com campaign-archive.com'],
  ['Buttondown', 'buttondown.email buttondown.com'],
]);

const AI = sources('ai', [
  ['ChatGPT', 'chatgpt.com chat.openai.com com.openai.chatgpt', 'openai'],
  ['Claude', 'claude.ai com.anthropic.claude'],
  ['Gemini', 'gemini.google.com bard.google.com com.google.android.apps.bard'],
  ['NotebookLM', 'notebooklm.google.com'],
  [
    'Copilot',
    'copilot.microsoft.com copilot.cloud.microsoft m365.cloud.microsoft com.microsoft.copilot',
  ],
  ['Perplexity', 'perplexity.ai ai.perplexity.app.android'],
  ['Grok', 'grok.com ai.x.grok'],
  ['DeepSeek', 'deepseek.com chat.deepseek.com com.deepseek.chat'],
  ['Le Chat', 'chat.mistral.ai mistral.ai', 'mistral'],
  ['Meta AI', 'meta.ai'],
  ['You.com', 'you.com', 'you'],
  ['Phind', 'phind.com'],
  ['Poe', 'poe.com'],
  ['Qwen', 'chat.qwen.ai qwen.ai tongyi.aliyun.com'],
  ['Kimi', 'kimi.com kimi.moonshot.cn kimi.ai'],
  ['Doubao', 'doubao.com'],
  ['Ernie Bot', 'yiyan.baidu.com ernie.baidu.com'],
  ['ChatGLM', 'chatglm.cn z.ai'],
  ['iAsk', 'iask.ai'],
  ['Andi', 'andisearch.com'],
  ['Character.AI', 'character.ai'],
  ['Duck.ai', 'duck.ai'],
  ['Lumo', 'lumo.proton.me'],
  ['Jasper', 'jasper.ai'],
]);

const CODE = sources('code', [
  ['GitHub', 'github.com com.github.android'],
  ['GitLab', 'gitlab.com'],
  ['Codeberg', 'codeberg.org'],
  ['Bitbucket', 'bitbucket.org'],
  ['SourceForge', 'sourceforge.net'],
  ['SourceHut', 'sr.ht git.sr.ht'],
  ['Hugging Face', 'huggingface.co hf.co'],
]);

const REFERENCE = sources('reference', [
  ['npm', 'npmjs.com'],
  ['PyPI', 'pypi.org'],
  ['crates.io', 'crates.io'],
  ['Packagist', 'packagist.org'],
  ['Docker Hub', 'hub.docker.com'],
  ['Wikipedia', 'wikipedia.org org.wikipedia'],
  ['AWS', 'aws.amazon.com'],
  ['G2', 'g2.com'],
  ['Notion', 'notion.so notion.site notion.com'],
]);

const NEWS = sources('news', [
  ['Google News', 'news.google.com com.google.android.apps.magazines', 'googlenews google-news'],
  ['Google Discover', 'discover.google.com', 'google-discover'],
  ['Apple News', 'apple.news', 'applenews'],
  ['Flipboard', 'flipboard.com flipboard.app flipboard.com.app'],
  ['SmartNews', 'smartnews.com jp.gocro.smartnews.android'],
  ['Feedly', 'feedly.com com.devhd.feedly'],
  ['Inoreader', 'inoreader.com com.innologica.inoreader'],
  ['Pocket', 'getpocket.com com.ideashower.readitlater.pro'],
  ['Instapaper', 'instapaper.com'],
  ['NewsBlur', 'newsblur.com'],
  ['The Old Reader', 'theoldreader.com'],
  ['Techmeme', 'techmeme.com'],
  ['Pinboard', 'pinboard.in'],
  ['Raindrop.io', 'raindrop.io'],
  ['Daily.dev', 'daily.dev app.daily.dev'],
  ['TLDR Newsletter', 'tldr.tech tldrnewsletter.com'],
  ['Upday', 'upday.com'],
]);

/** Every source that has a name of its own. */
export const KNOWN_SOURCES: readonly KnownSource[] = [
  ...SEARCH,
  ...SOCIAL,
  ...CHAT,
  ...VIDEO,
  ...SHOPPING,
  ...EMAIL,
  ...AI,
  ...CODE,
  ...NEWS,
  ...REFERENCE,
];
