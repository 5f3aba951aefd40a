/** What an API key may do. */
export const KEY_SCOPES = {
  'stats:read': 'Read reports: /api/v2/query and /api/v1/stats.',
  'sites:read': 'Read sites, goals and custom properties: GET /api/v1/sites.',
  'sites:write': 'Create, change and delete sites, goals and custom properties.',
  'events:write': 'Send events in batches: POST /api/events.',
} as const;

export type KeyScope = keyof typeof KEY_SCOPES;
