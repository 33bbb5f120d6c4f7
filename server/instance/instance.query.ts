import { z } from 'zod'
import { ActorImage } from '../../shared/actors.ts'
import { queryAs, sql } from '../core/sql.ts'
import { INSTANCE_ACTOR_NAME } from '../actors/instance-actor.ts'
import { bannersSql } from '../actors/actor.shape.ts'

/** Returns the banner of the instance actor in all sizes. */
export async function findInstanceBanners(): Promise<ActorImage[]> {
  const [row] = await queryAs(
    z.object({ banners: z.array(ActorImage) }),
    sql`
    SELECT ${bannersSql(sql`actor`)} AS banners
    FROM actors actor WHERE actor.host IS NULL AND lower(actor.preferred_username) = ${INSTANCE_ACTOR_NAME}`
  )
  return row!.banners
}

/** Returns the row id of the instance actor. */
export async function findInstanceActorId(): Promise<number> {
  const [row] = await queryAs(
    z.object({ id: z.int() }),
    sql`SELECT id FROM actors WHERE host IS NULL AND lower(preferred_username) = ${INSTANCE_ACTOR_NAME}`
  )
  return row!.id
}
