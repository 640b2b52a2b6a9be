/** Rendering: what etcd members, proxies and components must be told, as data. */
export { toCommand, toEnvironment, toJson, type Argument, type Environment, type Rendered, type RenderedDirectory, type RenderedFile } from './rendered.js'
export type { KeyedCertificate } from './material.js'
export { renderMember, type MemberOptions, type MemberUrls, type RenderedMember } from './member.js'
export type { PeerGuard } from './peer-guard.js'
export type { HttpGateway } from './http-gateway.js'
export { renderTcpGateway, type RenderedTcpGateway, type TcpGatewayOptions } from './tcp-gateway.js'
export { renderGrpcProxy, type GrpcProxyAcknowledgement, type GrpcProxyOptions, type RenderedGrpcProxy } from './grpc-proxy.js'
export { renderKubeApiserver, type KubeApiserverRenderOptions } from './kube-apiserver.js'
export {
  renderCalico, type CalicoComponent, type CalicoOptions, type ConfigMap, type RenderedCalico, type Secret, type SecretVolume,
} from './calico.js'
export { renderClient, type ClientOptions, type ClientProgram, type RenderedClient } from './client.js'
export type { ClientMaterialOptions } from './client-material.js'
export { EtcdRbacError, isEtcdRbacError, type ErrorCode, type ErrorDetails, type ErrorText, type Problem } from '../errors.js'
