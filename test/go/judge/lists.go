package main

import (
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"sort"
	"time"

	zcrypto "github.com/zmap/zcrypto/x509"
	"github.com/zmap/zlint/v3"
	"github.com/zmap/zlint/v3/lint"
)

type revoked struct {
	Serial    string `json:"serial"`
	RevokedAt string `json:"revokedAt"`
	Reason    int    `json:"reason"`
}

// A revocation list, as etcd reads it from 3.6 on.
type list struct {
	Number     string    `json:"number"`
	ThisUpdate string    `json:"thisUpdate"`
	NextUpdate string    `json:"nextUpdate"`
	Revoked    []revoked `json:"revoked"`
	// Empty where it is signed by the authority, otherwise why not.
	Signature        string    `json:"signature"`
	KeyIDOfAuthority bool      `json:"keyIdOfAuthority"`
	Findings         []finding `json:"findings"`
}

// A certification request.
type request struct {
	CommonName string   `json:"commonName"`
	DNS        []string `json:"dns"`
	URIs       []string `json:"uris"`
	Signature  string   `json:"signature"`
}

func judgeList(text, authorityText string, registry lint.Registry) (verdict, error) {
	block, _ := pem.Decode([]byte(text))
	authorityBlock, _ := pem.Decode([]byte(authorityText))
	if block == nil || authorityBlock == nil {
		return verdict{}, errors.New("no PEM")
	}
	read, err := x509.ParseRevocationList(block.Bytes)
	if err != nil {
		return verdict{}, err
	}
	authority, err := x509.ParseCertificate(authorityBlock.Bytes)
	if err != nil {
		return verdict{}, fmt.Errorf("authority: %w", err)
	}
	given := list{
		ThisUpdate: read.ThisUpdate.UTC().Format(time.RFC3339), NextUpdate: read.NextUpdate.UTC().Format(time.RFC3339),
		Signature: reason(read.CheckSignatureFrom(authority)), KeyIDOfAuthority: string(read.AuthorityKeyId) == string(authority.SubjectKeyId),
		Revoked: []revoked{}, Findings: []finding{},
	}
	if read.Number != nil {
		given.Number = read.Number.String()
	}
	for _, entry := range read.RevokedCertificateEntries {
		given.Revoked = append(given.Revoked, revoked{hex.EncodeToString(entry.SerialNumber.Bytes()), entry.RevocationTime.UTC().Format(time.RFC3339), entry.ReasonCode})
	}
	parsed, err := zcrypto.ParseRevocationList(block.Bytes)
	if err != nil {
		return verdict{}, fmt.Errorf("zcrypto: %w", err)
	}
	applied := 0
	for name, result := range zlint.LintRevocationListEx(parsed, registry).Results {
		if result.Status > lint.NE {
			applied++
		}
		if result.Status >= lint.Notice {
			given.Findings = append(given.Findings, finding{name, result.Status.String(), "", result.Details})
		}
	}
	sort.Slice(given.Findings, func(i, j int) bool { return given.Findings[i].Lint < given.Findings[j].Lint })
	return verdict{List: &given, LintsApplied: applied}, nil
}

func judgeRequest(text string) (verdict, error) {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return verdict{}, errors.New("no PEM")
	}
	read, err := x509.ParseCertificateRequest(block.Bytes)
	if err != nil {
		return verdict{}, err
	}
	given := request{CommonName: read.Subject.CommonName, DNS: append([]string{}, read.DNSNames...), URIs: []string{}, Signature: reason(read.CheckSignature())}
	for _, uri := range read.URIs {
		given.URIs = append(given.URIs, uri.String())
	}
	return verdict{Request: &given}, nil
}
