const FORMER: Record<string, string> = {
  'federation.abuses': 'max_objects',
  'federation.actors': 'remembered remembered_for blocks_for key_refresh gone_for refresh_interval',
  'federation.collections': 'page_size',
  'federation.crawl': 'max_pages max_items max_time refresh_batch max_replies',
  'federation.fetch':
    'connect_timeout headers_timeout timeout redirects_timeout max_redirects max_size max_image_size min_rate max_per_activity',
  'federation.inbox':
    'max_body body_timeout max_depth max_nodes max_list batch slow_after max_slow attempts retry_delay lease check_interval views_interval views_batch sweep_interval',
  'federation.outbox':
    'pace_for slow_after max_slow per_host connect_timeout timeout batch max_refusals max_mistrusts lease retry_delay max_retry_delay check_interval breaker max_held signature_memory sweep_interval',
  'federation.playlists': 'edits_interval',
  'federation.videos': 'counters_interval max_view_jump max_told_views viewers_interval view_lifetime'
}

/** Keys of earlier versions that became internals (`defineInternals`). A file may still name them; they have no effect. */
export const FORMER_CONFIG_KEYS: ReadonlySet<string> = new Set([
  'federation.collections',
  'federation.playlists',
  ...Object.entries(FORMER).flatMap(([group, names]) => names.split(' ').map(name => `${group}.${name}`))
])
