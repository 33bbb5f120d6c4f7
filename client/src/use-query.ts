import { useCallback, useEffect, useRef, useState } from 'preact/hooks'
import { apiUrl, api, type ApiResponse, type ApiCallOptions, type ApiRoute } from './api.ts'
import { isLoggedIn } from './credentials.ts'
import { peekInitialResponse } from './initial-data.ts'

/** The state of a request: loading, its response, or its error; `change` replaces the response without a request. */
export type UseQueryResult<T> = { data: T | null; error: unknown; loading: boolean; reload: () => void; change: (next: T) => void }

/**
 * Requests a GET route, and again when its options or the login change; null requests nothing. A response that the page contains is
 * returned at once.
 */
export function useQuery<K extends ApiRoute>(route: K, options: ApiCallOptions<K> | null): UseQueryResult<ApiResponse<K>> {
  const key = options && `${apiUrl(route, options)} ${isLoggedIn.value} ${JSON.stringify(options.headers ?? '')}`
  const [state, setState] = useState<{ key: string | null; data: ApiResponse<K> | null; error: unknown }>(() => ({
    key,
    error: null,
    data: options ? ((peekInitialResponse(apiUrl(route, options)) ?? null) as ApiResponse<K> | null) : null
  }))
  const latestKey = useRef(key)
  latestKey.current = key
  const load = useCallback(() => {
    if (!options) return
    const call = api as unknown as (route: K, options: ApiCallOptions<K>) => Promise<ApiResponse<K>>
    const request = async () => {
      try {
        const data = await call(route, options)
        if (latestKey.current === key) setState({ key, data, error: null })
      } catch (error) {
        if (latestKey.current === key) setState(previous => ({ key, data: previous.key === key ? previous.data : null, error }))
      }
    }
    void request()
  }, [key])
  useEffect(load, [load])
  const isCurrent = state.key === key
  return {
    data: isCurrent ? state.data : null,
    error: isCurrent ? state.error : null,
    loading: key !== null && !(isCurrent && (state.data !== null || state.error)),
    reload: () => {
      setState({ key, data: state.data, error: null })
      load()
    },
    change: data => setState({ key, data, error: null })
  }
}
