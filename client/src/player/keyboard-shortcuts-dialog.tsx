import type { JSX } from 'preact'
import type { TextKey } from '../i18n/catalogue.ts'
import { t } from '../i18n/i18n.ts'
import { Dialog } from '../ui/dialog.tsx'

const SHORTCUTS: [keys: string[], description: TextKey][] = [
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

/** The dialog that lists the keyboard shortcuts of the player; `theatre`: whether the player has a theatre mode. */
export function KeyboardShortcutsDialog({ theatre, onClose }: { theatre: boolean; onClose: () => void }): JSX.Element {
  return (
    <Dialog title={t('player.keys')} onClose={onClose}>
      <dl class="shortcuts">
        {SHORTCUTS.filter(([, description]) => theatre || description !== 'keys.theatre').map(([keys, description]) => (
          <div key={description}>
            <dt>
              {keys.map(key => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{t(description)}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  )
}
