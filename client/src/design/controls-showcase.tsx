import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { Button, ButtonLink, IconButton } from '../ui/button.tsx'
import { openConfirmDialog, Dialog } from '../ui/dialog.tsx'
import { FormDialog } from '../ui/form-dialog.tsx'
import { Checkbox, Field, Select, Switch, TextArea, TextField } from '../ui/field.tsx'
import { Avatar } from '../ui/avatar.tsx'
import { ActorImageFields, ImageField } from '../ui/image-field.tsx'
import { Menu } from '../ui/menu.tsx'
import { LinkTabs, Tabs } from '../ui/tabs.tsx'
import { showToast } from '../ui/toast.tsx'
import { ShowcaseSection } from './showcase-section.tsx'

const NO_IMAGES = { name: 'ada', displayName: 'Ada', avatars: [], banners: [] }
const IMAGE_ACTIONS = { onUpload: async () => showToast('Saved.'), onRemove: async () => showToast('Removed.') }

/** The interactive components: buttons, fields, menus, tabs, dialogs, toasts. */
export function ControlsShowcase({ scheme }: { scheme: string }): JSX.Element {
  const [text, setText] = useState('A film')
  const [on, setOn] = useState(true)
  const [tab, setTab] = useState<'one' | 'two'>('one')
  const [openDialog, setOpenDialog] = useState<'plain' | 'form' | null>(null)
  const closeDialog = () => setOpenDialog(null)
  return (
    <>
      <ShowcaseSection name="Buttons">
        <div class="row">
          <Button look="primary">Primary</Button>
          <Button>Plain</Button>
          <Button look="quiet">Quiet</Button>
          <Button look="danger">Danger</Button>
          <Button icon="upload">With a drawing</Button>
          <Button busy>Busy</Button>
          <Button disabled>Not now</Button>
          <ButtonLink href="#design-light" icon="link">
            A link
          </ButtonLink>
          <IconButton label="Close" icon="close" />
          <IconButton label="More" icon="more" />
        </div>
      </ShowcaseSection>
      <ShowcaseSection name="Fields">
        <div class="form">
          <TextField label="A line" hint="A hint stands below." value={text} onText={setText} />
          <TextField label="A line with a mistake" error="This is not right yet." value={text} onText={setText} />
          <TextField label="A line that is closed" disabled value={text} onText={setText} />
          <TextArea label="Several lines" rows={3} value={text} onText={setText} />
          <Select
            label="One of several"
            value="1"
            options={[
              ['1', 'Public'],
              ['2', 'Unlisted']
            ]}
            onText={() => {
              /* only shown */
            }}
          />
          <Field label="Anything labelled">{ids => <input class="input" type="date" {...ids} />}</Field>
          <div class="row">
            <Checkbox label="Chosen" checked={on} onChecked={setOn} />
            <Checkbox label="Some of them" checked={false} some onChecked={setOn} />
            <Checkbox label="Closed" checked={false} disabled onChecked={setOn} />
          </div>
          <Switch label="A switch" hint="It counts at once." checked={on} onChecked={setOn} />
          <Switch label="A switch that is closed" disabled checked={!on} onChecked={setOn} />
        </div>
      </ShowcaseSection>
      <ShowcaseSection name="Images to choose">
        <div class="form">
          <ImageField
            label="Thumbnail"
            changeLabel="Choose an image"
            removeLabel="Remove image"
            hint="Wider than high."
            hasImage
            maxSize={1_000_000}
            {...IMAGE_ACTIONS}
          />
          <ActorImageFields
            images={NO_IMAGES}
            banner={IMAGE_ACTIONS}
            avatar={IMAGE_ACTIONS}
            avatarLabel="Avatar"
            avatarHint="Displayed as a circle."
            maxSizes={null}
          >
            <Avatar of={NO_IMAGES} size="l" />
          </ActorImageFields>
        </div>
      </ShowcaseSection>
      <ShowcaseSection name="Menu">
        <Menu
          label={`Sample menu, ${scheme}`}
          trigger={props => (
            <Button icon="menu" {...props}>
              Open the menu
            </Button>
          )}
          items={[
            { kind: 'heading', text: 'A heading' },
            { kind: 'link', text: 'A link', href: '/', icon: 'film', detail: 'detail' },
            { kind: 'action', text: 'An act', act: () => showToast('Done.'), icon: 'edit' },
            {
              kind: 'choice',
              text: 'A choice',
              chosen: true,
              act: () => {
                /* only shown */
              }
            },
            { kind: 'action', text: 'A danger', act: () => showToast('Not really.'), icon: 'trash', danger: true }
          ]}
        />
      </ShowcaseSection>
      <ShowcaseSection name="Tabs">
        <Tabs
          label={`Sample tabs, ${scheme}`}
          chosen={tab}
          onChoose={setTab}
          tabs={[
            ['one', 'One'],
            ['two', 'Two']
          ]}
        >
          What stands behind the tab “{tab}”.
        </Tabs>
        <LinkTabs
          label={`Sample links, ${scheme}`}
          chosen="/"
          tabs={[
            ['/', 'New'],
            ['/?sort=trending', 'Trending']
          ]}
        />
      </ShowcaseSection>
      <ShowcaseSection name="Dialogs">
        <div class="row">
          <Button onClick={() => setOpenDialog('plain')}>Open a dialog</Button>
          <Button onClick={() => setOpenDialog('form')}>Open a form</Button>
          <Button onClick={() => void openConfirmDialog({ title: 'Delete this?', text: 'It will be gone for good.', yes: 'Delete' })}>
            Ask
          </Button>
          <Button
            onClick={() =>
              void openConfirmDialog({
                title: 'Delete this?',
                text: 'This is lost with it:',
                points: ['12 videos', '3 followers'],
                typed: 'name',
                yes: 'Delete'
              })
            }
          >
            Ask twice
          </Button>
        </div>
        {openDialog === 'plain' && (
          <Dialog
            title="A dialog"
            onClose={closeDialog}
            actions={
              <Button look="primary" onClick={closeDialog}>
                Good
              </Button>
            }
          >
            <p>Something that wants an answer.</p>
          </Dialog>
        )}
        {openDialog === 'form' && (
          <FormDialog title="A form" submitText="Save" onSubmit={async () => closeDialog()} onClose={closeDialog}>
            <TextField label="Title" value={text} onText={setText} />
          </FormDialog>
        )}
      </ShowcaseSection>
      <ShowcaseSection name="Notices in passing">
        <div class="row">
          <Button onClick={() => showToast('Saved.')}>Say something</Button>
          <Button onClick={() => showToast('Saved.', { action: { text: 'Watch', act: () => showToast('Watching.') } })}>With an act</Button>
          <Button onClick={() => showToast('Can’t reach the server.', { bad: true })}>Say that it failed</Button>
        </div>
      </ShowcaseSection>
    </>
  )
}
