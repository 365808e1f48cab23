// The parts of React Native and Expo that docs/client.md uses, as their documentation describes them.
declare module 'react-native' {
  export const AppState: {
    addEventListener(type: 'change', listener: (state: string) => void): { remove(): void }
  }
}

declare module 'expo-secure-store' {
  export function getItemAsync(key: string, options?: object): Promise<string | null>
  export function setItemAsync(key: string, value: string, options?: object): Promise<void>
}
