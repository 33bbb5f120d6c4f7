import type { Contract } from '../../shared/contract.ts'
import { abusesContract } from '../../shared/abuses.ts'
import { accountsContract } from '../../shared/accounts.ts'
import { administrationContract } from '../../shared/administration.ts'
import { blocklistsContract } from '../../shared/blocklists.ts'
import { channelsContract } from '../../shared/channels.ts'
import { commentsContract } from '../../shared/comments.ts'
import { federationContract } from '../../shared/federation.ts'
import { followsContract, subscriptionsContract, subscriptionVideosContract } from '../../shared/follows.ts'
import { instanceContract } from '../../shared/instance.ts'
import { playlistsContract } from '../../shared/playlists.ts'
import { reactionsContract } from '../../shared/reactions.ts'
import { searchContract } from '../../shared/search.ts'
import { transcodingContract } from '../../shared/transcoding.ts'
import { uploadsContract } from '../../shared/uploads.ts'
import { videosContract } from '../../shared/videos.ts'
import { viewsContract } from '../../shared/views.ts'

/** Every declared route, for OpenAPI. */
export const apiContracts: Contract[] = [
  videosContract,
  viewsContract,
  searchContract,
  uploadsContract,
  transcodingContract,
  channelsContract,
  accountsContract,
  blocklistsContract,
  followsContract,
  subscriptionsContract,
  subscriptionVideosContract,
  reactionsContract,
  commentsContract,
  playlistsContract,
  abusesContract,
  federationContract,
  administrationContract,
  instanceContract
]
