/** The preferredUsername of the Application actor of an instance, as PeerTube names it. */
export const INSTANCE_ACTOR_NAME = 'peertube'
