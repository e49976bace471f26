import React, { type ReactNode } from 'react';
import type { DataSourcePluginOptionsEditorProps, DataSourceSettings } from '@grafana/data';
import { FieldSet, InlineField, InlineSwitch, Input, SecretInput, SecretTextArea, TextLink } from '@grafana/ui';
import { CONFIG } from '../labels';
import type { FlowOptions, FlowSecrets } from '../types';
import { CommitInput, NumberInput } from './CommitInput';

type Props = DataSourcePluginOptionsEditorProps<FlowOptions, FlowSecrets>;

const LABEL_WIDTH = 22;
const INPUT_WIDTH = 48;

/** Where the collector is and how Grafana gets in. What is secret goes to the server and never comes back. */
export function ConfigEditor({ options, onOptionsChange }: Props) {
  const { jsonData, url } = options;
  const change = (parts: Partial<FlowOptions>) => onOptionsChange({ ...options, jsonData: { ...jsonData, ...parts } });
  const address = url.trim().replace(/\/+$/, '');
  const secrets = secretsOf(options, onOptionsChange);
  return (
    <>
      <FieldSet label={CONFIG.connection}>
        <Line
          id="config-url"
          label={CONFIG.url}
          hint={CONFIG.urlHint}
          required
          invalid={isBadUrl(address)}
          error={CONFIG.urlBad}
        >
          <Input
            id="config-url"
            width={INPUT_WIDTH}
            placeholder="http://localhost:8055"
            value={url}
            onChange={(event) => onOptionsChange({ ...options, url: event.currentTarget.value })}
          />
        </Line>
        <Line id="config-token" label={CONFIG.token} hint={CONFIG.tokenHint}>
          <SecretInput
            id="config-token"
            width={INPUT_WIDTH}
            placeholder={CONFIG.tokenPlaceholder}
            {...secrets('token')}
          />
        </Line>
        {!isBadUrl(address) && address !== '' && (
          <p>
            <TextLink href={address} external>
              {CONFIG.statusPage}
            </TextLink>{' '}
            {CONFIG.statusHint}
          </p>
        )}
      </FieldSet>
      <FieldSet label={CONFIG.tls}>
        <Line id="config-skip-verify" label={CONFIG.skipVerify} hint={CONFIG.skipVerifyHint}>
          <InlineSwitch
            id="config-skip-verify"
            value={jsonData.tlsSkipVerify ?? false}
            onChange={(event) => change({ tlsSkipVerify: event.currentTarget.checked })}
          />
        </Line>
        <Line id="config-own-ca" label={CONFIG.ownCa} hint={CONFIG.ownCaHint}>
          <InlineSwitch
            id="config-own-ca"
            value={jsonData.tlsAuthWithCACert ?? false}
            onChange={(event) => change({ tlsAuthWithCACert: event.currentTarget.checked })}
          />
        </Line>
        {jsonData.tlsAuthWithCACert && (
          <Line id="config-ca" label={CONFIG.caCert}>
            <SecretTextArea id="config-ca" rows={4} cols={60} placeholder={PEM} {...secrets('tlsCACert')} />
          </Line>
        )}
        <Line id="config-client-cert" label={CONFIG.clientCert} hint={CONFIG.clientCertHint}>
          <InlineSwitch
            id="config-client-cert"
            value={jsonData.tlsAuth ?? false}
            onChange={(event) => change({ tlsAuth: event.currentTarget.checked })}
          />
        </Line>
        {jsonData.tlsAuth && (
          <>
            <Line id="config-server-name" label={CONFIG.serverName} hint={CONFIG.serverNameHint}>
              <CommitInput
                id="config-server-name"
                width={INPUT_WIDTH}
                value={jsonData.serverName ?? ''}
                onCommit={(serverName) => change({ serverName })}
              />
            </Line>
            <Line id="config-cert" label={CONFIG.cert}>
              <SecretTextArea id="config-cert" rows={4} cols={60} placeholder={PEM} {...secrets('tlsClientCert')} />
            </Line>
            <Line id="config-key" label={CONFIG.key}>
              <SecretTextArea id="config-key" rows={4} cols={60} placeholder={PEM} {...secrets('tlsClientKey')} />
            </Line>
          </>
        )}
      </FieldSet>
      <FieldSet label={CONFIG.queries}>
        <Line id="config-timeout" label={CONFIG.timeout} hint={CONFIG.timeoutHint}>
          <NumberInput
            id="config-timeout"
            width={12}
            value={jsonData.timeout ?? ''}
            placeholder="30"
            least={1}
            most={3600}
            onCommit={(timeout) => change({ timeout })}
          />
        </Line>
        <Line
          id="config-interval"
          label={CONFIG.interval}
          hint={CONFIG.intervalHint}
          invalid={!/^(\d+(ms|s|m|h|d))?$/.test(jsonData.timeInterval ?? '')}
          error={CONFIG.intervalBad}
        >
          <CommitInput
            id="config-interval"
            width={12}
            placeholder="1m"
            value={jsonData.timeInterval ?? ''}
            onCommit={(timeInterval) => change({ timeInterval: timeInterval.trim() })}
          />
        </Line>
      </FieldSet>
    </>
  );
}

const PEM = '-----BEGIN …';

/** What Grafana's inputs for secrets need: whether there is one, how it changes, how it goes away. */
function secretsOf(
  options: DataSourceSettings<FlowOptions, FlowSecrets>,
  onOptionsChange: Props['onOptionsChange'],
): (key: keyof FlowSecrets) => {
  isConfigured: boolean;
  value: string;
  onChange: (event: { currentTarget: { value: string } }) => void;
  onReset: () => void;
} {
  const write = (key: keyof FlowSecrets, isConfigured: boolean, value: string) =>
    onOptionsChange({
      ...options,
      secureJsonFields: { ...options.secureJsonFields, [key]: isConfigured },
      secureJsonData: { ...options.secureJsonData, [key]: value },
    });
  return (key) => ({
    isConfigured: options.secureJsonFields?.[key] ?? false,
    value: options.secureJsonData?.[key] ?? '',
    onChange: ({ currentTarget }) => write(key, false, currentTarget.value),
    onReset: () => write(key, false, ''),
  });
}

function isBadUrl(address: string): boolean {
  return address !== '' && !/^https?:\/\/[^\s/]+/.test(address);
}

interface LineProps {
  id: string;
  label: string;
  hint?: string;
  required?: boolean;
  invalid?: boolean;
  error?: string;
  children: React.ReactElement & ReactNode;
}

function Line({ id, label, hint, children, ...rest }: LineProps) {
  return (
    <InlineField label={label} htmlFor={id} labelWidth={LABEL_WIDTH} {...(hint ? { tooltip: hint } : {})} {...rest}>
      {children}
    </InlineField>
  );
}
