// Builds dist/ from src/. The output of earlier builds goes first, so that nothing stale is packed.
import { rmSync } from 'node:fs'
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
rmSync(`${root}dist`, { recursive: true, force: true })
const { status } = spawnSync(process.execPath, [`${root}node_modules/typescript/bin/tsc`, '--build'], { cwd: root, stdio: 'inherit' })
process.exitCode = status ?? 1
