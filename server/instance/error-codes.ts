/** A machine-readable error code: the `code` of an application/problem+json response. */
export type ErrorCode = { code: string; status: number; meaning: string }

/** Every `code` of this server, for the API documentation; a test compares it with the sources. */
export const ERROR_CODES: ErrorCode[] = [
  {
    code: 'invalid_request',
    status: 400,
    meaning: 'The request cannot be understood: a malformed header, a wrong content type, a missing parameter of OAuth.'
  },
  {
    code: 'invalid_client',
    status: 400,
    meaning: 'client_id and client_secret are missing or wrong; GET /oauth-clients/local has the right ones.'
  },
  { code: 'invalid_grant', status: 400, meaning: 'The username and password, or the refresh token, are not right or not any more.' },
  { code: 'unsupported_grant_type', status: 400, meaning: 'Only the grants password and refresh_token exist here.' },
  { code: 'invalid_scope', status: 400, meaning: 'There are no scopes here: ask for none.' },
  { code: 'access_denied', status: 400, meaning: 'The user is blocked.' },
  {
    code: 'too_many_uploads',
    status: 400,
    meaning: 'The user has as many unfinished uploads, in one request and resumable, as this instance allows.'
  },
  {
    code: 'invalid_content_range',
    status: 400,
    meaning: 'Content-Range is missing, malformed, or does not agree with the size of the upload or the length of the body.'
  },
  { code: 'unknown_route', status: 400, meaning: 'No such route in this API.' },
  { code: 'unauthorized_request', status: 401, meaning: 'This needs a login: send `Authorization: Bearer …`.' },
  { code: 'invalid_token', status: 401, meaning: 'The access token is unknown, has expired or was revoked: refresh it or log in again.' },
  { code: 'current_password_is_invalid', status: 401, meaning: 'The current password, needed for this change, is not right.' },
  {
    code: 'current_password_required',
    status: 403,
    meaning: 'The login is older than fifteen minutes: send `currentPassword`, or log in again.'
  },
  {
    code: 'root_only',
    status: 403,
    meaning: 'The password and the e-mail address of root are changed by root, or on the machine by scripts/start --reset-password.'
  },
  { code: 'Forbidden', status: 403, meaning: "The token of a video's files is missing or not right." },
  { code: 'video_requires_password', status: 403, meaning: "Send the video's password in the header x-peertube-video-password." },
  { code: 'incorrect_video_password', status: 403, meaning: "The video's password is not right." },
  {
    code: 'does_not_respect_follow_constraints',
    status: 403,
    meaning: 'A video of a server that this one does not follow, which visitors do not see; `originUrl` is its address there.'
  },
  { code: 'upload_stalled', status: 408, meaning: 'Nothing of the upload arrived for too long: the request was ended.' },
  { code: 'request_timeout', status: 408, meaning: 'The body did not arrive in time: send it again.' },
  { code: 'reserved_name', status: 409, meaning: 'Only administrators give this name, or one that looks like it: choose another.' },
  { code: 'video_already_being_transcoded', status: 409, meaning: 'The video is being transcoded, or waits for it.' },
  {
    code: 'upload_busy',
    status: 409,
    meaning: 'Another request sends a chunk of this upload, or its last chunk is still being worked on: ask again.'
  },
  { code: 'PayloadTooLargeError', status: 413, meaning: 'The body is larger than this instance accepts.' },
  { code: 'quota_reached', status: 413, meaning: "The user's space, in all or of one day, does not suffice, counting unfinished uploads." },
  { code: 'max_file_size_reached', status: 413, meaning: 'The file is larger than this instance accepts.' },
  { code: 'RangeNotSatisfiableError', status: 416, meaning: 'The file has no such bytes.' },
  { code: 'unreadable_video', status: 422, meaning: 'The file cannot be read as a video.' },
  { code: 'unsupported_container', status: 422, meaning: 'The file is of a kind that is not taken, whatever its name says.' },
  { code: 'still_image', status: 422, meaning: 'The file is an image, whatever its name says.' },
  { code: 'animated_image', status: 422, meaning: 'The file is an animated WebP or PNG image: convert it to MP4 or GIF.' },
  { code: 'playlist_file', status: 422, meaning: 'The file is a playlist or another list that refers to media: upload the media.' },
  { code: 'web_page', status: 422, meaning: 'The file is an HTML page, whatever its name says.' },
  { code: 'text_file', status: 422, meaning: 'The file is a text, whatever its name says.' },
  { code: 'archive_file', status: 422, meaning: 'The file is an archive such as ZIP: upload what it contains.' },
  {
    code: 'audio_not_accepted',
    status: 422,
    meaning: 'The file holds only sound, and the instance accepts no audio files, whatever their names.'
  },
  {
    code: 'undecodable_video',
    status: 422,
    meaning: 'The picture or the sound of the file is in a codec that the server cannot decode, or encrypted.'
  },
  { code: 'no_streams', status: 422, meaning: 'The file holds neither picture nor sound.' },
  { code: 'too_many_streams', status: 422, meaning: 'The file holds more streams than this instance accepts.' },
  {
    code: 'broken_times',
    status: 422,
    meaning: 'A track of the file has nothing for half an hour of sound, or a day of pictures: its times are wrong.'
  },
  { code: 'video_too_large', status: 422, meaning: 'The picture has more pixels, or more frames a second, than this instance accepts.' },
  { code: 'video_too_long', status: 422, meaning: 'The video is longer than this instance accepts.' },
  { code: 'too_many_requests', status: 429, meaning: 'Too many requests from this address: wait for the seconds in Retry-After.' },
  {
    code: 'database_unavailable',
    status: 503,
    meaning: 'The database of this site does not answer at the moment. Try again after `Retry-After` seconds.'
  },
  {
    code: 'database_timeout',
    status: 503,
    meaning: 'What was asked for took longer than this instance allows; nothing was changed. Try again later, or ask for less.'
  },
  {
    code: 'redis_unavailable',
    status: 503,
    meaning: 'A service that this needs does not answer at the moment. Try again after `Retry-After` seconds.'
  },
  {
    code: 'insufficient_storage',
    status: 507,
    meaning: 'The disk of this instance has no room for the file, counting what other uploads have announced.'
  }
]
