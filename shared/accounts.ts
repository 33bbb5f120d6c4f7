import { z } from 'zod'
import { Account, ActorImage, Channel, ActorHandle, localActorName } from './actors.ts'
import { defineContract } from './contract.ts'
import { isLanguageTag, VIDEO_LANGUAGES } from './languages.ts'
import { Bool, IdParam, int, arrayParam, orNull, resultList, Paging, textOrNull, Timestamp } from './fields.ts'

/** The themes a user can choose; the site has no others. */
const THEMES = ['default', 'instance-default'] as const
const Username = localActorName(50, 'Should have a valid username (lowercase alphanumeric characters)')
/** A password that is set, not one that is checked; the server refuses one shorter than its own limit. */
export const NewPassword = z.string('Invalid value').min(1, 'Invalid value').max(255, 'Invalid value')
const Email = z.email('Invalid value').max(255, 'Invalid value')
const Role = int(0, 2)
const Quota = int(-1)
const DisplayName = z.string('Invalid value').min(1, 'Invalid value').max(120, 'Invalid value')
const NsfwPolicy = z.enum(['display', 'blur', 'do_not_list'], 'Invalid value')
const VideoLanguages = orNull(arrayParam(z.enum(['_unknown', ...VIDEO_LANGUAGES], 'Should have valid languages'), 500))

/** Credentials of the web client, public as in every OAuth2 public client. */
const OAuthClient = z.object({ client_id: z.string(), client_secret: z.string() })

/** The response of the password and refresh grants (RFC 6749 §5.1). */
const Token = z.object({
  token_type: z.literal('Bearer'),
  access_token: z.string(),
  refresh_token: z.string(),
  expires_in: z.int().describe('seconds'),
  refresh_token_expires_in: z.int().describe('seconds')
})

/** A playlist that every user has; `type` 2: to watch later. */
export const SpecialPlaylist = z.object({ id: z.int(), name: z.string(), type: z.int() })

/** A user as the user itself and administrators see it. */
export const User = z.object({
  id: z.int(),
  username: z.string(),
  email: z.string(),
  theme: z.string(),
  pendingEmail: z.string().nullable(),
  emailPublic: z.boolean(),
  emailVerified: z.boolean().nullable(),
  nsfwPolicy: NsfwPolicy,
  p2pEnabled: z.boolean(),
  videosHistoryEnabled: z.boolean(),
  autoPlayVideo: z.boolean(),
  autoPlayNextVideo: z.boolean(),
  autoPlayNextVideoPlaylist: z.boolean(),
  videoLanguages: z.array(z.string()).nullable(),
  language: z.string().nullable(),
  role: z.object({ id: z.int(), label: z.string() }),
  videoQuota: z.int(),
  videoQuotaDaily: z.int(),
  totalVideoFileSize: z.int().optional(),
  videoQuotaUsed: z.int().optional(),
  videoQuotaUsedDaily: z.int().optional(),
  videosCount: z.int().optional(),
  abusesCount: z.int().optional(),
  abusesAcceptedCount: z.int().optional(),
  abusesCreatedCount: z.int().optional(),
  videoCommentsCount: z.int().optional(),
  noInstanceConfigWarningModal: z.boolean(),
  noWelcomeModal: z.boolean(),
  noAccountSetupWarningModal: z.boolean(),
  blocked: z.boolean(),
  blockedReason: z.string().nullable(),
  account: Account,
  videoChannels: z.array(Channel),
  notificationSettings: z.record(z.string(), z.int()),
  createdAt: Timestamp,
  pluginAuth: z.string().nullable(),
  lastLoginDate: Timestamp.nullable(),
  twoFactorEnabled: z.boolean(),
  adminFlags: z.int(),
  specialPlaylists: z.array(SpecialPlaylist).optional()
})

/** One login of a user. */
const TokenSession = z.object({
  id: z.int(),
  currentSession: z.boolean(),
  loginDate: Timestamp,
  lastActivityDate: Timestamp,
  expiresAt: Timestamp
})

/** Routes for login, registration, the own account, and the administration of users. */
export const accountsContract = defineContract({
  'GET /oauth-clients/local': { summary: "The web client's credentials", tag: 'Session', response: OAuthClient, cache: true },
  'POST /users/token': {
    summary: 'Log in',
    description: 'Password and refresh token grants of OAuth 2 (RFC 6749 §4.3 and §6).',
    tag: 'Session',
    form: true,
    limit: 'login',
    body: z.looseObject({
      grant_type: z.string().optional(),
      username: z.string().optional(),
      password: z.string().optional(),
      refresh_token: z.string().optional(),
      client_id: z.string().optional(),
      client_secret: z.string().optional()
    }),
    response: Token,
    refusals: { 400: 'invalid_grant, invalid_client, invalid_request, unsupported_grant_type or access_denied' }
  },
  'POST /users/revoke-token': { summary: 'Log out', tag: 'Session', auth: 'user', response: z.object({ success: z.literal(true) }) },
  'GET /users/:id/token-sessions': {
    summary: 'Sessions of a user',
    tag: 'Session',
    auth: 'user',
    params: IdParam,
    response: resultList(TokenSession)
  },
  'POST /users/:id/token-sessions/:session/revoke': {
    summary: 'End a session',
    tag: 'Session',
    auth: 'user',
    params: IdParam.extend({ session: int(1, 2 ** 31 - 1) })
  },
  'POST /users/register': {
    summary: 'Create an account',
    tag: 'Registration',
    limit: 'signup',
    body: z.object({
      username: Username,
      password: NewPassword,
      email: Email,
      displayName: DisplayName.optional(),
      channel: z.object({ name: localActorName(50, 'Invalid value'), displayName: DisplayName }).optional()
    }),
    refusals: { 403: 'Registration is closed', 409: 'The name or address is taken, or the name is reserved (reserved_name)' }
  },
  'GET /users/me': { summary: 'My account', tag: 'My account', auth: 'user', response: User },
  'PUT /users/me': {
    summary: 'Change my account',
    tag: 'My account',
    auth: 'user',
    body: z.object({
      displayName: DisplayName.optional(),
      description: textOrNull(3, 1000).optional(),
      email: Email.optional(),
      emailPublic: Bool.optional(),
      currentPassword: z.string().optional(),
      password: NewPassword.optional(),
      nsfwPolicy: NsfwPolicy.optional(),
      p2pEnabled: Bool.optional(),
      videosHistoryEnabled: Bool.optional(),
      autoPlayVideo: Bool.optional(),
      autoPlayNextVideo: Bool.optional(),
      autoPlayNextVideoPlaylist: Bool.optional(),
      videoLanguages: VideoLanguages.optional(),
      language: orNull(z.string().refine(isLanguageTag, 'Should have a valid language')).optional(),
      theme: z.enum(THEMES, 'Should have a valid theme').optional(),
      noInstanceConfigWarningModal: Bool.optional(),
      noWelcomeModal: Bool.optional(),
      noAccountSetupWarningModal: Bool.optional()
    }),
    refusals: { 401: 'current_password_is_invalid' }
  },
  'DELETE /users/me': {
    summary: 'Delete my account with all its videos',
    description: 'Needs `currentPassword`, unless the login (not a refresh of it) is of the last fifteen minutes.',
    tag: 'My account',
    auth: 'user',
    body: z.object({ currentPassword: z.string('Invalid value').optional() }).optional(),
    refusals: { 401: 'current_password_is_invalid', 403: 'current_password_required' }
  },
  'GET /users/me/video-quota-used': {
    summary: 'Used video quota',
    tag: 'My account',
    auth: 'user',
    response: z.object({ videoQuotaUsed: z.int(), videoQuotaUsedDaily: z.int() })
  },
  'POST /users/me/avatar/pick': {
    summary: 'Set the avatar',
    tag: 'My account',
    auth: 'user',
    files: { avatarfile: 'avatar' },
    response: z.object({ avatars: z.array(ActorImage) })
  },
  'DELETE /users/me/avatar': { summary: 'Remove the avatar', tag: 'My account', auth: 'user' },
  'GET /users': {
    summary: 'All users',
    tag: 'Users',
    auth: 'moderator',
    response: resultList(User),
    query: Paging.extend({
      search: z.string().max(200).optional(),
      blocked: Bool.optional(),
      sort: z
        .enum(
          [
            'id',
            '-id',
            'username',
            '-username',
            'createdAt',
            '-createdAt',
            'videoQuotaUsed',
            '-videoQuotaUsed',
            'role',
            '-role',
            'lastLoginDate',
            '-lastLoginDate'
          ],
          'Invalid value'
        )
        .optional()
    })
  },
  'POST /users': {
    summary: 'Create a user',
    tag: 'Users',
    auth: 'moderator',
    response: z.object({ user: z.object({ id: z.int(), account: z.object({ id: z.int() }) }) }),
    body: z.object({
      username: Username,
      password: NewPassword,
      email: Email,
      role: Role,
      videoQuota: Quota.optional(),
      videoQuotaDaily: Quota.optional(),
      channelName: localActorName(50, 'Invalid value').optional(),
      adminFlags: int(0, 1).optional()
    }),
    refusals: { 409: 'The name or address is taken' }
  },
  'GET /users/autocomplete': {
    summary: 'Usernames that start with a text',
    tag: 'Users',
    query: z.object({ search: z.string().min(1).max(100) }),
    response: z.array(z.string())
  },
  'GET /users/:id': {
    summary: 'One user',
    tag: 'Users',
    auth: 'moderator',
    params: IdParam,
    query: z.object({ withStats: Bool.optional() }),
    response: User
  },
  'PUT /users/:id': {
    summary: 'Change a user',
    tag: 'Users',
    auth: 'moderator',
    params: IdParam,
    body: z.object({
      email: Email.optional(),
      emailVerified: Bool.optional(),
      password: NewPassword.optional(),
      role: Role.optional(),
      videoQuota: Quota.optional(),
      videoQuotaDaily: Quota.optional(),
      adminFlags: int(0, 1).optional(),
      pluginAuth: z.string().nullable().optional()
    })
  },
  'DELETE /users/:id': { summary: 'Remove a user with all its videos', tag: 'Users', auth: 'moderator', params: IdParam },
  'POST /users/:id/block': {
    summary: 'Block a user',
    tag: 'Users',
    auth: 'moderator',
    params: IdParam,
    body: z.object({ reason: z.string().max(250).optional() }).optional()
  },
  'POST /users/:id/unblock': { summary: 'Unblock a user', tag: 'Users', auth: 'moderator', params: IdParam },
  'GET /accounts': {
    summary: 'All accounts',
    tag: 'Accounts',
    query: Paging.extend({ sort: z.enum(['id', '-id', 'createdAt', '-createdAt'], 'Invalid value').optional() }),
    response: resultList(Account),
    cache: true
  },
  'GET /accounts/:name': {
    summary: 'One account',
    tag: 'Accounts',
    params: z.object({ name: ActorHandle }),
    response: Account,
    cache: true
  }
})

export type User = z.output<typeof User>
