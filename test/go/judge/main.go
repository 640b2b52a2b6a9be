// Judges certificates by the standard library, which is what etcd itself reads them with, and by zlint, which knows the sentences of the RFCs.
//
// Reads a JSON list of cases from standard input, writes the list of verdicts to standard output. It decides nothing: what is right is said by the
// test that asks.
package main

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"sort"

	zcrypto "github.com/zmap/zcrypto/x509"
	"github.com/zmap/zlint/v3"
	"github.com/zmap/zlint/v3/lint"
)

// A certificate as PEM, what it chains up to, and the hosts to look for in it. Or a revocation list, or a request.
type question struct {
	List          string   `json:"list"`
	Request       string   `json:"request"`
	Certificate   string   `json:"certificate"`
	Authority     string   `json:"authority"`
	Intermediates string   `json:"intermediates"`
	Hosts         []string `json:"hosts"`
}

type finding struct {
	Lint    string `json:"lint"`
	Status  string `json:"status"`
	Source  string `json:"source"`
	Details string `json:"details"`
}

type verdict struct {
	// Why it could not be read; everything else is empty then.
	Unreadable string `json:"unreadable"`
	// By extended key usage: empty where the chain verifies for it, otherwise why not.
	Chain map[string]string `json:"chain"`
	// By host: empty where the certificate is for it, otherwise why not.
	Hosts             map[string]string `json:"hosts"`
	Version           int               `json:"version"`
	CommonName        string            `json:"commonName"`
	CommonNames       []string          `json:"commonNames"`
	SubjectParts      int               `json:"subjectParts"`
	SerialBits        int               `json:"serialBits"`
	SerialSign        int               `json:"serialSign"`
	DNS               []string          `json:"dns"`
	IPs               []string          `json:"ips"`
	URIs              []string          `json:"uris"`
	SanCritical       bool              `json:"sanCritical"`
	KeyUsage          []string          `json:"keyUsage"`
	ExtKeyUsage       []string          `json:"extKeyUsage"`
	Authority         bool              `json:"authority"`
	PathLength        int               `json:"pathLength"`
	KeyIDOfAuthority  bool              `json:"keyIdOfAuthority"`
	UnhandledCritical int               `json:"unhandledCritical"`
	PublicKey         string            `json:"publicKey"`
	Signature         string            `json:"signature"`
	Findings          []finding         `json:"findings"`
	// How many lints had something to say about a certificate of this kind.
	LintsApplied int `json:"lintsApplied"`
	// Of a list and of a request: nothing else is said of them.
	List    *list    `json:"list"`
	Request *request `json:"request"`
}

var keyUsages = []struct {
	bit  x509.KeyUsage
	name string
}{
	{x509.KeyUsageDigitalSignature, "digitalSignature"},
	{x509.KeyUsageContentCommitment, "contentCommitment"},
	{x509.KeyUsageKeyEncipherment, "keyEncipherment"},
	{x509.KeyUsageDataEncipherment, "dataEncipherment"},
	{x509.KeyUsageKeyAgreement, "keyAgreement"},
	{x509.KeyUsageCertSign, "keyCertSign"},
	{x509.KeyUsageCRLSign, "cRLSign"},
	{x509.KeyUsageEncipherOnly, "encipherOnly"},
	{x509.KeyUsageDecipherOnly, "decipherOnly"},
}

var extKeyUsages = map[x509.ExtKeyUsage]string{x509.ExtKeyUsageServerAuth: "serverAuth", x509.ExtKeyUsageClientAuth: "clientAuth"}

var (
	commonNameOID = asn1.ObjectIdentifier{2, 5, 4, 3}
	sanOID        = asn1.ObjectIdentifier{2, 5, 29, 17}
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	var questions []question
	if err := json.NewDecoder(os.Stdin).Decode(&questions); err != nil {
		return err
	}
	// What browsers and their forum ask of public authorities says nothing about a private one: only the RFCs' sentences.
	registry, err := lint.GlobalRegistry().Filter(lint.FilterOptions{
		IncludeSources: lint.SourceList{lint.RFC3279, lint.RFC5280, lint.RFC5480, lint.RFC5891, lint.RFC8813},
	})
	if err != nil {
		return err
	}
	verdicts := make([]verdict, 0, len(questions))
	for _, asked := range questions {
		given, err := judge(asked, registry)
		if err != nil {
			given = verdict{Unreadable: err.Error()}
		}
		verdicts = append(verdicts, given)
	}
	return json.NewEncoder(os.Stdout).Encode(verdicts)
}

func judge(asked question, registry lint.Registry) (verdict, error) {
	if asked.List != "" {
		return judgeList(asked.List, asked.Authority, registry)
	}
	if asked.Request != "" {
		return judgeRequest(asked.Request)
	}
	block, rest := pem.Decode([]byte(asked.Certificate))
	if block == nil || block.Type != "CERTIFICATE" || len(bytes.TrimSpace(rest)) > 0 {
		return verdict{}, errors.New("not one PEM certificate")
	}
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return verdict{}, err
	}
	authorityBlock, _ := pem.Decode([]byte(asked.Authority))
	if authorityBlock == nil {
		return verdict{}, errors.New("no PEM authority")
	}
	authority, err := x509.ParseCertificate(authorityBlock.Bytes)
	if err != nil {
		return verdict{}, fmt.Errorf("authority: %w", err)
	}
	roots, intermediates := x509.NewCertPool(), x509.NewCertPool()
	roots.AddCert(authority)
	intermediates.AppendCertsFromPEM([]byte(asked.Intermediates))

	given := verdict{
		Chain: map[string]string{}, Hosts: map[string]string{}, Version: certificate.Version, CommonName: certificate.Subject.CommonName,
		SerialBits: certificate.SerialNumber.BitLen(), SerialSign: certificate.SerialNumber.Sign(),
		Authority: certificate.BasicConstraintsValid && certificate.IsCA, PathLength: certificate.MaxPathLen,
		KeyIDOfAuthority:  len(certificate.AuthorityKeyId) > 0 && bytes.Equal(certificate.AuthorityKeyId, authority.SubjectKeyId),
		UnhandledCritical: len(certificate.UnhandledCriticalExtensions),
		PublicKey:         certificate.PublicKeyAlgorithm.String(), Signature: certificate.SignatureAlgorithm.String(),
		CommonNames: []string{}, DNS: append([]string{}, certificate.DNSNames...), IPs: []string{}, URIs: []string{},
		KeyUsage: []string{}, ExtKeyUsage: []string{}, Findings: []finding{},
	}
	for usage, name := range extKeyUsages {
		given.Chain[name] = reason(verify(certificate, roots, intermediates, usage))
	}
	for _, host := range asked.Hosts {
		given.Hosts[host] = reason(certificate.VerifyHostname(host))
	}
	for _, attribute := range certificate.Subject.Names {
		given.SubjectParts++
		if attribute.Type.Equal(commonNameOID) {
			given.CommonNames = append(given.CommonNames, fmt.Sprint(attribute.Value))
		}
	}
	for _, address := range certificate.IPAddresses {
		given.IPs = append(given.IPs, address.String())
	}
	for _, uri := range certificate.URIs {
		given.URIs = append(given.URIs, uri.String())
	}
	for _, extension := range certificate.Extensions {
		if extension.Id.Equal(sanOID) {
			given.SanCritical = extension.Critical
		}
	}
	for _, usage := range keyUsages {
		if certificate.KeyUsage&usage.bit != 0 {
			given.KeyUsage = append(given.KeyUsage, usage.name)
		}
	}
	for _, usage := range certificate.ExtKeyUsage {
		name, known := extKeyUsages[usage]
		if !known {
			name = fmt.Sprintf("usage %d", usage)
		}
		given.ExtKeyUsage = append(given.ExtKeyUsage, name)
	}
	for _, usage := range certificate.UnknownExtKeyUsage {
		given.ExtKeyUsage = append(given.ExtKeyUsage, usage.String())
	}

	parsed, err := zcrypto.ParseCertificate(block.Bytes)
	if err != nil {
		return verdict{}, fmt.Errorf("zcrypto: %w", err)
	}
	for name, result := range zlint.LintCertificateEx(parsed, registry).Results {
		if result.Status > lint.NE {
			given.LintsApplied++
		}
		if result.Status >= lint.Notice {
			given.Findings = append(given.Findings, finding{name, result.Status.String(), string(registry.CertificateLints().ByName(name).Source), result.Details})
		}
	}
	sort.Slice(given.Findings, func(i, j int) bool { return given.Findings[i].Lint < given.Findings[j].Lint })
	return given, nil
}

func verify(certificate *x509.Certificate, roots, intermediates *x509.CertPool, usage x509.ExtKeyUsage) error {
	_, err := certificate.Verify(x509.VerifyOptions{Roots: roots, Intermediates: intermediates, KeyUsages: []x509.ExtKeyUsage{usage}})
	return err
}

func reason(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
