/** Presets: what known components need of etcd, by their version and etcd's, each grant with its evidence. */
export { calicoV3, calicoctlV3, type CalicoDocumented, type CalicoFromSource, type CalicoV3, type CalicoV3FromSource, type CalicoctlLevels } from './calico-v3.js'
export type { CalicoCondition } from './calico-v3-tables.js'
export { calicoV2, calicoctlV2, type CalicoV2, type CalicoV2Options } from './calico-v2.js'
export { compactionNeedsRoot, kubeApiserver, type KubeApiserver, type KubeApiserverOptions, type RequestNeed } from './kube-apiserver.js'
export { healthProbe } from './health-probe.js'
export type { Component, Evidence, EvidenceKind, Grant } from './component.js'
export { EtcdRbacError, isEtcdRbacError, type ErrorCode, type ErrorDetails, type ErrorText, type Problem } from '../errors.js'
