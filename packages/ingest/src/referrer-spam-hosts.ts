/**
 * Registrable domains that have sent hits with forged referrers to advertise themselves, of those
 * most seen over the years. Shorteners and networks with honest links of their own are left out on
 * purpose: a listed host loses every visit it sends.
 */
export const REFERRER_SPAM_HOSTS: readonly string[] = `
0n-line.tv 1-88.vip 1-99seo.com 1-free-share-buttons.com 100dollars-seo.com 12masterov.com
1webmaster.ml 1xbetportugal.com 1xslots.africa 2-best-seo.com 24x7-server-support.site
3-letter-domains.net 3waynetworks.com 4istoshop.com 4webmasters.org 5forex.ru 7makemoneyonline.com
7zap.com abclauncher.com acads.net account-my1.xyz acunetix-referrer.com adanih.com
adrenalinebot.net adspart.com adtiger.tk adventureparkcostarica.com adviceforum.info
affordablewebsitesandmobileapps.com afora.ru ai-seo-services.com alfabot.xyz alibestsale.com
aliexsale.ru amazon-seo-service.com anabolics.shop analytics-ads.xyz anti-crisis-seo.com
anticrawler.org apteka-pharm.ru arendovalka.xyz asupro.com auto-b2b-seo-service.com
auto-seo-service.org autoseo-service.org autoseo-traffic.com autoseotips.com aviva-limoux.com
azartclub.org azbukafree.com backgroundpictures.net backlinks-fast-top.com balkanfarma.org
bard-real.com.ua best-ping-service-usa.blue best-seo-offer.com best-seo-software.xyz
best-seo-solution.com bestofferhddbyt.info bestwebsitesawards.com betslive.ru biglistofwebsites.com
bizru.info blackhatworth.com blogorganictraffic.shop blogseo.xyz blogtraffic.shop blue-square.biz
bluerobot.info boostmyppc.com bot-traffic.icu bot-traffic.xyz bottraffic.live bottraffic143.xyz
bottraffic329.xyz bottraffic4free.club bottraffic4free.host bottraffic999.xyz brakehawk.com
brateg.xyz break-the-chains.com budilneg.xyz buketeg.xyz bukleteg.xyz burger-imperia.com
buttons-for-website.com buttons-for-your-website.com buy-cheap-online.info
buy-cheap-pills-order-online.com buy-forum.ru buypillsonline24h.com bycontext.com cenokos.ru
cenoval.ru cezartabac.ro cityadspix.com codysbbq.com compliance-alex.xyz copyrightclaims.org
customsua.com.ua cyber-monday.ga dailyrank.net darodar.com datract.com dbutton.net
delfin-aqua.com.ua descargar-musica-gratis.net detskie-konstruktory.ru dipstar.org dktr.ru
dojki-hd.com domain-tracker.com dominateforex.ml doska-vsem.ru dostavka-v-krym.com e-buyeasy.com
e-kwiaciarz.pl easycommerce.cf ecomp3.ru edakgfvwql.ru ekspertmed.com energy-ua.com erot.co
escort-russian.com este-line.com.ua eu-cookie-law-enforcement2.xyz euromasterclass.ru
event-tracking.com ewebsitesreviews.com eyes-on-you.ga fast-wordpress-start.com fbdownloader.com
fix-website-errors.com floating-share-buttons.com for-your.website forex-procto.ru forsex.info
forum69.info free-floating-buttons.com free-share-buttons.com free-social-buttons.com
free-social-buttons.xyz free-traffic.xyz free-video-tool.com freewhatsappload.com fungirlsgames.net
gandikapper.ru generalporn.org get-clickize.info get-free-social-traffic.com
get-free-traffic-now.com get-your-social-buttons.info getlamborghini.ga getrichquick.ml
getrichquickly.info ghazel.ru ghostvisitor.com girlporn.ru gkvector.ru global-smm.ru gobongo.info
goodprotein.ru googlemare.com googlsucks.com guardlink.org hongfanji.com howtostopreferralspam.eu
hulfingtonpost.com humanorightswatch.org hundejo.com hvd-store.com iloveitaly.ru ilovevitaly.co
ilovevitaly.com ilovevitaly.org ilovevitaly.ru ilovevitaly.xyz iminent.com imperiafilm.ru
increasewwwtraffic.info investpamm.ru iskalko.ru japfm.com justprofit.xyz kabbalah-red-bracelets.com
kambasoft.com keywords-monitoring-success.com keywords-monitoring-your-success.com kino-key.info
kinopolet.net knigonosha.net konkursov.net law-check-eight.xyz law-enforcement-bot-ff.xyz
laxdrills.com littleberry.ru livefixer.com lumb.co luxup.ru magicdiet.gq marketland.ml
masterseek.com mebelcomplekt.ru minegam.com mirobuvi.com.ua mirtorrent.net monetizationking.net
moyakuhnia.ru muscle-factory.com.ua net-profits.xyz niki-mlt.ru novosti-hi-tech.ru nufaq.com
o-o-11-o-o.com o-o-6-o-o.com o-o-6-o-o.ru o-o-8-o-o.com o-o-8-o-o.ru online-hit.info onlywoman.org
openfrost.com openfrost.net openmediasoft.com ownshop.cf ozas.net palvira.com.ua
perfection-pretty.com pops.foundation pornhub-forum.ga pornhubforum.tk porno-chaman.info
pornoforadult.com portnoff.od.ua pozdravleniya-c.ru priceg.com pricheski-video.com producm.ru
prointer.net.ua promoforum.ru psa48.ru qitt.ru quit-smoking.ga qwesa.ru rank-checker.online
rankings-analytics.com ranksonic.info ranksonic.net ranksonic.org rapidgator-porn.ga rcb101.ru
rednise.com replica-watch.ru rospromtest.ru sady-urala.ru savetubevideo.com savetubevideo.info
search-error.com semalt.com semalt.net semaltmedia.com seo-2-0.com seo-platform.com seo-smm.kz
seoanalyses.com seocheckupx.com seoexperimenty.ru seojokes.net seopub.net sexsaoy.com sexyali.com
share-buttons.xyz sharebutton.net sharebutton.to shopsellcardsdumps.com simple-share-buttons.com
site-auditor.online siteripz.net sitevaluation.org skinali.com sledstvie-veli.net slftsdybbg.ru
slkrm.ru snabs.kz soaksoak.ru social-button.xyz social-buttons.com social-fun.ru social-widget.xyz
socialbutton.xyz socialseet.ru solnplast.ru sosdepotdebilan.com speedup-my.site spin2016.cf
spravka130.ru success-seo.com superiends.org supervesti.ru taihouse.ru tattooha.com tedxrj.com
theguardlan.com timer4web.com top1-seo-service.com top10-way.com topquality.cf topseoservices.co
torture.ml traffic-cash.xyz traffic-paradise.org traffic2cash.org traffic2cash.xyz traffic2money.com
trafficbot.life trafficbot4free.xyz trafficgenius.xyz trafficmonetize.org trafficmonetizer.org
trion.od.ua uasb.ru unpredictable.ga uptimechecker.com uzungil.com vapmedia.org vardenafil20.com
varikozdok.ru video--production.com video-woman.com videos-for-your-business.com viel.su
viktoria-center.ru vodaodessa.com vodkoved.ru vzubkah.com w3javascript.com wakeupseoconsultant.com
web-revenue.xyz webmaster-traffic.com webmonetizer.net website-analytics.online
website-analyzer.info website-errors-scanner.com website-speed-check.site website-speed-checker.site
websites-reviews.com websocial.me wmasterlead.com wordpress-crew.net xz618.com ykecwqlixx.ru
youporn-forum.ga youporn-ru.com yourserverisdown.com zastroyka.org
`
  .split(/\s+/)
  .filter((host) => host !== '');
