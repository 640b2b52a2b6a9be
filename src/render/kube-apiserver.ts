/** What kube-apiserver must be told (Kubernetes, "kube-apiserver" reference: the flags `--etcd-…`). */
import { isKeyPrefix, KEY_PREFIX_WANTED } from '../presets/key-prefix.js'
import { oneOf } from '../presets/one-of.js'
import { clientMaterial, type ClientMaterialOptions } from './client-material.js'
import { refuseRender, shown } from './check.js'
import type { Argument, Rendered } from './rendered.js'

/** A kube-apiserver. */
export interface KubeApiserverRenderOptions extends ClientMaterialOptions {
  /** As in the preset `kubeApiserver`: whether it compacts, for which newer etcd wants role root, or leaves that to etcd. */
  readonly compaction: 'apiserver' | 'etcd'
  /** As in the preset, with the slash at the end. Default Kubernetes' own, `'/registry/'`, and then no flag. */
  readonly keyPrefix?: string
}

/**
 * The arguments and files of kube-apiserver, as far as etcd is concerned.
 *
 * @throws {@link EtcdRbacError} `ERR_RENDER_REFUSED`, `ERR_PEM_INVALID`, `ERR_DER_INVALID`
 * @example
 * ```ts
 * import { renderKubeApiserver, toCommand, type KubeApiserverRenderOptions } from 'etcd-rbac/render'
 * export const flags = (options: KubeApiserverRenderOptions): readonly string[] => toCommand(renderKubeApiserver(options).arguments)
 * ```
 */
export function renderKubeApiserver(options: KubeApiserverRenderOptions): Rendered {
  const { compaction, keyPrefix } = options
  oneOf('compaction', compaction, ['apiserver', 'etcd'])
  if (keyPrefix !== undefined && !isKeyPrefix(keyPrefix)) refuseRender(`a key prefix of ${shown(keyPrefix)}`, KEY_PREFIX_WANTED, 'correct it, here and in the preset')
  const { endpoints, authorityFile, certificateFile, keyFile, directories, files } = clientMaterial(options, 'apiserver-etcd-client')
  const prefix: readonly Argument[] = keyPrefix === undefined ? [] : [{ flag: '--etcd-prefix', value: keyPrefix.slice(0, -1), why: 'where its keys are' }]
  const interval: readonly Argument[] =
    compaction === 'apiserver' ? [] : [{ flag: '--etcd-compaction-interval', value: '0', why: 'compacting needs role root on newer etcd; etcd compacts by itself' }]
  return {
    arguments: [
      { flag: '--etcd-servers', value: endpoints, why: 'the members' },
      { flag: '--etcd-cafile', value: authorityFile, why: 'how it knows the members' },
      { flag: '--etcd-certfile', value: certificateFile, why: 'its Common Name is its user' },
      { flag: '--etcd-keyfile', value: keyFile, why: 'the key of that certificate' },
      ...prefix,
      ...interval,
    ],
    directories,
    files,
    notes: compaction === 'etcd' ? ['every member needs autoCompaction: without, the history grows for ever'] : [],
  }
}
