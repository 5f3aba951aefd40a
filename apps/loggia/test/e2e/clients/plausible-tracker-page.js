import Plausible from 'plausible-tracker';

const { enableAutoPageviews, enableAutoOutboundTracking, trackEvent } = Plausible({
  domain: 'old.test',
  apiHost: 'http://stats.test',
});
enableAutoPageviews();
enableAutoOutboundTracking();
Object.assign(globalThis, { trackEvent });
