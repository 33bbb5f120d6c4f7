import type { JSX } from 'preact'
import type { TextKey } from '../i18n/catalogue.ts'
import { t } from '../i18n/i18n.ts'
import { Dialog } from '../ui/dialog.tsx'

const KEYS: [keys: string[], meaning: TextKey][] = [
  [['K', '␣'], 'keys.toggle'],
  [['J', 'L'], 'keys.jump'],
  [['←', '→'], 'keys.smallJump'],
  [['0', '9'], 'keys.tenths'],
  [['↑', '↓'], 'keys.volume'],
  [['M'], 'keys.mute'],
  [['C'], 'keys.captions'],
  [['F'], 'keys.fullscreen'],
  [['T'], 'keys.theatre'],
  [['I'], 'keys.float'],
  [['<', '>'], 'keys.speed'],
  [['S'], 'keys.stats'],
  [['?'], 'keys.help']
]

/** What the keys do in the player. */
export function KeyboardShortcutsDialog({ theatre, onClose }: { theatre: boolean; onClose: () => void }): JSX.Element {
  return (
    <Dialog title={t('player.keys')} onClose={onClose}>
      <dl class="shortcuts">
        {KEYS.filter(([, meaning]) => theatre || meaning !== 'keys.theatre').map(([keys, meaning]) => (
          <div key={meaning}>
            <dt>
              {keys.map(key => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{t(meaning)}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  )
}
