import { sql, type Sql } from '../core/sql.ts'
import { accountSql } from '../actors/account.shape.ts'
import { isoTimestampSql } from '../actors/actor.shape.ts'
import { channelSql } from '../channels/channel.shape.ts'

/** PeerTube's notification settings: 0 is "none" for every kind, as this version has no notifications. */
const NOTIFICATION_SETTINGS = JSON.stringify(
  Object.fromEntries(
    [
      'newCommentOnMyVideo',
      'newVideoFromSubscription',
      'abuseAsModerator',
      'videoAutoBlacklistAsModerator',
      'blacklistOnMyVideo',
      'myVideoPublished',
      'myVideoImportFinished',
      'newUserRegistration',
      'commentMention',
      'newFollow',
      'newInstanceFollower',
      'autoInstanceFollowing',
      'abuseNewMessage',
      'abuseStateChange',
      'newPeerTubeVersion',
      'newPluginVersion',
      'myVideoStudioEditionFinished',
      'myVideoTranscriptionGenerated'
    ].map(kind => [kind, 0])
  )
)

/**
 * SQL that evaluates to a User (shared/accounts.ts) as JSON, from the aliases of a users row, its account and that account's actor.
 * `more` is a further JSON object whose keys are added.
 */
export function userSql(user: Sql, account: Sql, actor: Sql, more: Sql = sql`'{}'::jsonb`): Sql {
  return sql`(jsonb_build_object(
    'id', ${user}.id, 'username', ${user}.username, 'email', ${user}.email, 'theme', ${user}.theme,
    'pendingEmail', NULL, 'emailPublic', ${user}.email_public, 'emailVerified', ${user}.email_verified,
    'nsfwPolicy', ${user}.nsfw_policy, 'p2pEnabled', ${user}.p2p_enabled, 'videosHistoryEnabled', ${user}.videos_history_enabled,
    'autoPlayVideo', ${user}.auto_play_video, 'autoPlayNextVideo', ${user}.auto_play_next_video,
    'autoPlayNextVideoPlaylist', ${user}.auto_play_next_video_playlist,
    'videoLanguages', ${user}.video_languages, 'language', ${user}.language,
    'role', jsonb_build_object('id', ${user}.role,
      'label', CASE ${user}.role WHEN 0 THEN 'Administrator' WHEN 1 THEN 'Moderator' ELSE 'User' END),
    'videoQuota', ${user}.video_quota, 'videoQuotaDaily', ${user}.video_quota_daily,
    'noInstanceConfigWarningModal', ${user}.no_instance_config_warning_modal, 'noWelcomeModal', ${user}.no_welcome_modal,
    'noAccountSetupWarningModal', ${user}.no_account_setup_warning_modal,
    'blocked', ${user}.blocked, 'blockedReason', ${user}.blocked_reason,
    'account', ${accountSql(account, actor)}, 'videoChannels', ${channelsSql(account)},
    'notificationSettings', ${NOTIFICATION_SETTINGS}::jsonb,
    'createdAt', ${isoTimestampSql(sql`${user}.created_at`)}, 'pluginAuth', NULL,
    'lastLoginDate', ${isoTimestampSql(sql`${user}.last_login_date`)},
    'twoFactorEnabled', false, 'adminFlags', ${user}.admin_flags) || ${more})`
}

function channelsSql(account: Sql): Sql {
  return sql`coalesce((SELECT jsonb_agg(${channelSql(sql`own_channel`, sql`own_channel_actor`)} ORDER BY own_channel.id)
    FROM channels own_channel JOIN actors own_channel_actor ON own_channel_actor.id = own_channel.actor_id
    WHERE own_channel.account_id = ${account}.id), '[]'::jsonb)`
}
